/* SPDX-License-Identifier: ISC */
#include "auth/addresses.h"

bool
addresses_has(struct span text, struct span address)
{
	if (address.n == 0 || address.p[0] == '#')
		return false;
	while (text.p != NULL)
		if (span_ieq(span_trim(span_cut(&text, '\n')), address))
			return true;
	return false;
}

void
address_split(struct span address, struct span *local, struct span *domain)
{
	size_t at = span_rchr(address, '@');

	*local = span_head(address, at);
	*domain = (struct span){ NULL, 0 };
	if (at < address.n)
		*domain = span_skip(address, at + 1);
}

/* RFC 5233 1 */
struct span
address_base(struct span local, struct span *detail)
{
	size_t plus = span_chr(local, '+');

	*detail = (struct span){ NULL, 0 };
	if (plus == 0 || plus == local.n)
		return local;
	*detail = span_skip(local, plus + 1);
	return span_head(local, plus);
}

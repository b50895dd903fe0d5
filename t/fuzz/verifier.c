/* SPDX-License-Identifier: ISC */
#include "auth/verifier.h"

#include <stdlib.h>

#include "auth/account.h"
#include "auth/addresses.h"
#include "auth/checkpassword.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

/* What is printed is read back as the same line, and counts at the same
 * times. */
static void
verifiers(struct span text)
{
	struct verifier v, again;
	struct buf one = { 0 }, two = { 0 };

	while (verifier_next(&text, &v)) {
		buf_clear(&one);
		buf_clear(&two);
		verifier_print(&v, &one);
		struct span line = buf_span(&one);

		if (!verifier_next(&line, &again))
			abort();
		verifier_print(&again, &two);
		if (!span_eq(buf_span(&one), buf_span(&two)) ||
		    line.n != 0 ||
		    verifier_counts(&v, SPAN("imap"), 1795391999) !=
		    verifier_counts(&again, SPAN("imap"), 1795391999))
			abort();
	}
	buf_free(&one);
	buf_free(&two);
}

/* Every line that an address file holds is found in it, and the parts of an
 * address lie within it. */
static void
addresses(struct span text)
{
	struct span rest = text, local, domain, detail;

	for (int i = 0; i < 64 && rest.p != NULL; i++) {
		struct span a = span_trim(span_cut(&rest, '\n'));

		if (a.n > 0 && a.p[0] != '#' && !addresses_has(text, a))
			abort();
		address_split(a, &local, &domain);
		if (local.n + domain.n + (domain.p != NULL) != a.n)
			abort();
		struct span base = address_base(local, &detail);

		if (base.n + detail.n + (detail.p != NULL) != local.n)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct account a;
	struct buf again = { 0 };

	if (n > 65536)
		return 0;
	verifiers(in);
	addresses(in);
	if (checkreply_parse(in, &a)) {
		if (!account_foreign(span_str(a.name)))
			abort();
		checkreply_make(&again, a.name, buf_cstr(&a.home),
		    a.maildir.n == 0 ? "" : buf_cstr(&a.maildir), a.uid,
		    a.gid);
		struct account b;

		if (!checkreply_parse(buf_span(&again), &b))
			abort();
		account_free(&b);
	}
	account_free(&a);
	buf_free(&again);
	return 0;
}

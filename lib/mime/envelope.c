/* SPDX-License-Identifier: ISC */
#include "mime/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "base/die.h"
#include "mime/quote.h"

/* In the order of the envelope. */
enum slot { DATE, SUBJECT, FROM, SENDER, REPLY_TO, TO, CC, BCC, IN_REPLY_TO,
	MESSAGE_ID, SLOTS };

#define NAME(s) { (s), sizeof(s) - 1 }
static const struct span names[SLOTS] = {
	NAME("Date"), NAME("Subject"), NAME("From"), NAME("Sender"),
	NAME("Reply-To"), NAME("To"), NAME("Cc"), NAME("Bcc"),
	NAME("In-Reply-To"), NAME("Message-ID")
};

/* The fields that the envelope shows, in the order of the header. */
struct envelope_field {
	enum slot slot;
	struct span value;
};

struct found {
	const struct envelope_field *f;
	size_t n;
	struct addr_list *list;
};

static enum slot
slot_of(struct span name)
{
	enum slot s = DATE;

	while (s < SLOTS && !span_ieq(name, names[s]))
		s++;
	return s;
}

static struct found
gather(const struct header_index *header, struct envelope_memory *m)
{
	size_t n = 0;

	if (m->cap < header->n) {
		m->cap = header->cap;
		m->f = xrealloc(m->f, m->cap * sizeof *m->f);
	}
	for (size_t i = 0; i < header->n; i++) {
		enum slot s = slot_of(header->f[i].name);

		if (s < SLOTS)
			m->f[n++] = (struct envelope_field){ s,
				header->f[i].value };
	}
	return (struct found){ m->f, n, &m->list };
}

static void
string(const struct found *all, enum slot slot, struct buf *to)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->f[i].slot == slot) {
			quote_value(to, all->f[i].value);
			return;
		}
	buf_adds(to, "NIL");
}

/* RFC 3501 7.4.2: (name route mailbox host).  A host of NIL says group, so
 * an address without one has the empty string. */
static void
address(const struct addr *a, struct buf *to)
{
	buf_addc(to, '(');
	if (a->kind == ADDR_MAILBOX) {
		quote_nstring(to, a->name);
		buf_addc(to, ' ');
		quote_nstring(to, a->route);
		buf_addc(to, ' ');
		quote_string(to, a->local);
		buf_addc(to, ' ');
		quote_string(to, a->domain);
	} else {
		buf_adds(to, "NIL NIL ");
		if (a->kind == ADDR_GROUP)
			quote_string(to, a->name);
		else
			buf_adds(to, "NIL");
		buf_adds(to, " NIL");
	}
	buf_addc(to, ')');
}

/* False, and nothing is added, if there is not a single address. */
static bool
addresses(const struct found *all, enum slot slot, struct buf *to)
{
	bool any = false;

	for (size_t i = 0; i < all->n; i++) {
		struct addr a;

		if (all->f[i].slot != slot)
			continue;
		addr_list_again(all->list, all->f[i].value);
		while (addr_next(all->list, &a)) {
			if (!any)
				buf_addc(to, '(');
			any = true;
			address(&a, to);
		}
	}
	if (any)
		buf_addc(to, ')');
	return any;
}

void
envelope_write(const struct header_index *header, struct envelope_memory *m,
    struct buf *to, struct span *date)
{
	struct found all = gather(header, m);
	size_t from = 0, from_n = 0;

	*date = (struct span){ NULL, 0 };
	for (size_t i = all.n; i-- > 0;)
		if (all.f[i].slot == DATE)
			*date = all.f[i].value;
	for (enum slot s = DATE; s < SLOTS; s++) {
		buf_addc(to, s == DATE ? '(' : ' ');
		if (s < FROM || s > BCC) {
			string(&all, s, to);
			continue;
		}
		size_t at = to->n;

		/* RFC 3501 7.4.2: these two default to From. */
		if (!addresses(&all, s, to)) {
			if ((s == SENDER || s == REPLY_TO) && from_n > 0) {
				buf_room(to, from_n);
				buf_add(to, (struct span){ to->p + from,
				    from_n });
			} else {
				buf_adds(to, "NIL");
			}
		} else if (s == FROM) {
			from = at;
			from_n = to->n - at;
		}
	}
	buf_addc(to, ')');
}

void
envelope_free(struct envelope_memory *m)
{
	addr_list_free(&m->list);
	free(m->f);
	*m = (struct envelope_memory){ 0 };
}

/* SPDX-License-Identifier: ISC */
#include "imap/mailbox.h"

#include "text/mutf7.h"

/* A component's octets that are written in base64 so that nobody takes them
 * for the delimiter. */
struct escape {
	char c[2];
};

static struct escape
escape(const struct imap_space *ns)
{
	return (struct escape){ { ns->delimiter, '\0' } };
}

bool
imap_space_parse(struct span value, struct imap_space *ns)
{
	struct span prefix = value;

	if (value.n == 0)
		return false;
	ns->delimiter = value.p[value.n - 1];
	if (ns->delimiter != '/' && ns->delimiter != '.')
		return false;
	prefix.n--;
	ns->prefix = prefix;
	while (ns->prefix.n > 0 && ns->prefix.p[ns->prefix.n - 1] == ' ')
		ns->prefix.n--;
	/* RFC 2342 5: a prefix ends in the delimiter. */
	if (ns->prefix.n == 0)
		return true;
	for (size_t i = 0; i < ns->prefix.n; i++)
		if (ns->prefix.p[i] <= ' ' || ns->prefix.p[i] > '~')
			return false;
	return ns->prefix.n > 1 &&
	    ns->prefix.p[ns->prefix.n - 1] == ns->delimiter;
}

bool
imap_space_read(const struct control *c, struct buf *value,
    struct imap_space *ns)
{
	buf_clear(value);
	if (!control_line(c, "namespace", value))
		buf_addc(value, '/');
	if (imap_space_parse(buf_span(value), ns))
		return true;
	imap_space_parse(SPAN("/"), ns);
	return false;
}

/* A prefix of "INBOX." has no case, like INBOX. */
static bool
below(const struct imap_space *ns, struct span wire)
{
	return span_istarts(ns->prefix, SPAN("INBOX")) ?
	    span_istarts(wire, ns->prefix) : span_starts(wire, ns->prefix);
}

/* A name of which each component is in modified UTF-7, or in UTF-8. */
static bool
decode(const struct imap_space *ns, struct span wire, bool utf7,
    struct buf *name)
{
	struct escape esc = escape(ns);
	size_t start = name->n;

	if (span_ieq(wire, SPAN("INBOX"))) {
		buf_adds(name, "INBOX");
		return true;
	}
	if (!below(ns, wire))
		return false;
	struct span rest = span_skip(wire, ns->prefix.n);

	if (rest.n > 0 && rest.p[rest.n - 1] == ns->delimiter)
		rest.n--;
	if (rest.n == 0)
		return false;
	while (rest.p != NULL) {
		if (name->n > start)
			buf_addc(name, '\0');
		size_t at = name->n;
		struct span one = span_cut(&rest, ns->delimiter);

		if (!utf7)
			buf_add(name, one);
		else if (!mutf7_decode(one, esc.c, name))
			return false;
		if (!mutf7_component(span_skip(buf_span(name), at)))
			return false;
	}
	return true;
}

bool
imap_mailbox_decode(const struct imap_space *ns, struct span wire,
    struct buf *name)
{
	return decode(ns, wire, true, name);
}

bool
imap_mailbox_utf8(const struct imap_space *ns, struct span text,
    struct buf *name)
{
	return decode(ns, text, false, name);
}

void
imap_mailbox_encode(const struct imap_space *ns, struct span name,
    struct buf *wire)
{
	struct escape esc = escape(ns);

	if (span_ieq(name, SPAN("INBOX"))) {
		buf_adds(wire, "INBOX");
		return;
	}
	buf_add(wire, ns->prefix);
	while (name.p != NULL) {
		mutf7_encode(span_cut(&name, '\0'), esc.c, wire);
		if (name.p != NULL)
			buf_addc(wire, ns->delimiter);
	}
}

bool
imap_mailbox_text(const struct imap_space *ns, struct span name,
    struct buf *text)
{
	if (span_chr(name, ns->delimiter) < name.n)
		return false;
	if (!span_ieq(name, SPAN("INBOX")))
		buf_add(text, ns->prefix);
	for (size_t i = 0; i < name.n; i++)
		buf_addc(text, name.p[i] == '\0' ? ns->delimiter :
		    name.p[i]);
	return true;
}

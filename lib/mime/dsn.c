/* SPDX-License-Identifier: ISC */
#include "mime/dsn.h"

#include "mime/build.h"
#include "mime/date.h"
#include "mime/header.h"

static const struct {
	const char *field, *text;
} actions[] = {
	[DSN_FAILED] = { "failed", "could not be delivered" },
	[DSN_DELAYED] = { "delayed", "is delayed and tried again" },
	[DSN_DELIVERED] = { "delivered", "was delivered" },
	[DSN_RELAYED] = { "relayed",
	    "was handed on to a system that reports no more" },
	[DSN_EXPANDED] = { "expanded", "was sent on to a list" },
};

static bool
high(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0)
			return true;
	return false;
}

static bool
any(const struct dsn *d, enum dsn_action a)
{
	for (size_t i = 0; i < d->rcpts; i++)
		if (d->rcpt[i].action == a)
			return true;
	return false;
}

bool
dsn_wants_full(const struct dsn *d, bool ret_full)
{
	return ret_full && any(d, DSN_FAILED);
}

/* RFC 6533 3 and 4: fields in UTF-8 make it a global report. */
static bool
global(const struct dsn *d)
{
	for (size_t i = 0; i < d->rcpts; i++)
		if (high(d->rcpt[i].final) || high(d->rcpt[i].orcpt))
			return true;
	return false;
}

/* Octets from outside in a field of ours: no line ends, no controls; and
 * nothing beyond ASCII unless the report is a global one. */
static void
add_tame(struct buf *to, struct span s, bool utf8)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 0 && c < ' ') || c == 127)
			c = ' ';
		buf_addc(to, c < 0 && !utf8 ? '?' : c);
	}
}

static void
field(struct buf *to, const char *name, const char *type, struct span value,
    bool utf8)
{
	struct buf line = { 0 };

	if (type != NULL) {
		buf_adds(&line, type);
		buf_adds(&line, "; ");
	}
	add_tame(&line, value, utf8);
	header_add(to, span_str(name), buf_span(&line));
	buf_free(&line);
}

/* RFC 5322 3.6.4, as far as a reference to it needs: one word in brackets. */
static bool
is_message_id(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 127)
			return false;
	return span_starts(s, SPAN("<")) && span_ends(s, SPAN(">"));
}

/* RFC 3464 2.1.1 and RFC 3834 5: nobody answers it, by hand or by machine. */
static void
add_header(const struct dsn *d, struct span boundary, struct buf *to)
{
	struct buf b = { 0 };

	buf_adds(&b, "Mail Delivery System <MAILER-DAEMON@");
	add_tame(&b, d->me, false);
	buf_addc(&b, '>');
	header_add(to, SPAN("From"), buf_span(&b));
	field(to, "To", NULL, d->to, true);
	header_add(to, SPAN("Subject"), any(d, DSN_FAILED) ?
	    SPAN("Undelivered mail returned to sender") :
	    any(d, DSN_DELAYED) ? SPAN("Delivery is delayed") :
	    SPAN("Delivery report"));
	buf_clear(&b);
	date_add(&b, d->now, d->zone);
	header_add(to, SPAN("Date"), buf_span(&b));
	buf_clear(&b);
	build_message_id(&b, d->me);
	header_add(to, SPAN("Message-ID"), buf_span(&b));
	if (is_message_id(d->message_id)) {
		field(to, "In-Reply-To", NULL, d->message_id, false);
		field(to, "References", NULL, d->message_id, false);
	}
	header_add(to, SPAN("Auto-Submitted"), SPAN("auto-replied"));
	header_add(to, SPAN("MIME-Version"), SPAN("1.0"));
	buf_clear(&b);
	buf_adds(&b, "multipart/report; report-type=");
	buf_adds(&b, global(d) ? "global-delivery-status" :
	    "delivery-status");
	buf_adds(&b, "; boundary=\"");
	buf_add(&b, boundary);
	buf_addc(&b, '"');
	header_add(to, SPAN("Content-Type"), buf_span(&b));
	if (d->eightbit || global(d))
		header_add(to, SPAN("Content-Transfer-Encoding"),
		    SPAN("8bit"));
	buf_free(&b);
}

static void
part(struct span boundary, const char *type, bool eightbit, struct buf *to)
{
	buf_adds(to, "\r\n--");
	buf_add(to, boundary);
	buf_adds(to, "\r\nContent-Type: ");
	buf_adds(to, type);
	if (eightbit)
		buf_adds(to, "\r\nContent-Transfer-Encoding: 8bit");
	buf_adds(to, "\r\n\r\n");
}

static void
add_text(const struct dsn *d, bool utf8, struct buf *to)
{
	buf_adds(to, "This is the mail system at ");
	add_tame(to, d->me, false);
	buf_adds(to, ".\r\n\r\n");
	for (size_t i = 0; i < d->rcpts; i++) {
		const struct dsn_rcpt *r = &d->rcpt[i];

		buf_adds(to, "Your message to <");
		add_tame(to, r->final, utf8);
		buf_adds(to, ">\r\n");
		buf_adds(to, actions[r->action].text);
		if (r->diagnostic.n > 0) {
			buf_adds(to, ":\r\n    ");
			add_tame(to, r->diagnostic, utf8);
		} else {
			buf_addc(to, '.');
		}
		buf_adds(to, "\r\n\r\n");
	}
	buf_adds(to, d->full ? "Your message follows.\r\n" :
	    "The header of your message follows.\r\n");
}

/* RFC 3464 2.3 */
static void
add_recipient(const struct dsn_rcpt *r, bool utf8, struct buf *to)
{
	struct buf b = { 0 };

	buf_adds(to, "\r\n");
	if (r->orcpt_type.n > 0) {
		add_tame(&b, r->orcpt_type, false);
		field(to, "Original-Recipient", buf_cstr(&b), r->orcpt,
		    utf8);
	}
	field(to, "Final-Recipient", high(r->final) ? "utf-8" : "rfc822",
	    r->final, utf8);
	header_add(to, SPAN("Action"), span_str(actions[r->action].field));
	field(to, "Status", NULL, r->status, false);
	if (r->remote.n > 0)
		field(to, "Remote-MTA", "dns", r->remote, false);
	if (r->diagnostic.n > 0)
		field(to, "Diagnostic-Code", "smtp", r->diagnostic, utf8);
	buf_free(&b);
}

/* RFC 3464 2.2 */
static void
add_status(const struct dsn *d, bool utf8, struct buf *to)
{
	struct buf b = { 0 };

	if (d->has_envid)
		field(to, "Original-Envelope-Id", NULL, d->envid, false);
	field(to, "Reporting-MTA", "dns", d->me, false);
	date_add(&b, d->arrived, d->zone);
	header_add(to, SPAN("Arrival-Date"), buf_span(&b));
	for (size_t i = 0; i < d->rcpts; i++)
		add_recipient(&d->rcpt[i], utf8, to);
	buf_free(&b);
}

/* RFC 6533 5 and 6 have names for what is not ASCII. */
static const char *
returned_type(const struct dsn *d, bool utf8)
{
	if (d->full)
		return utf8 ? "message/global" : "message/rfc822";
	return utf8 ? "message/global-headers" : "text/rfc822-headers";
}

void
dsn_begin(const struct dsn *d, struct buf *boundary, struct buf *to)
{
	bool utf8 = global(d);

	buf_clear(boundary);
	build_boundary(boundary);
	struct span b = buf_span(boundary);

	add_header(d, b, to);
	part(b, utf8 ? "text/plain; charset=utf-8" :
	    "text/plain; charset=us-ascii", utf8, to);
	add_text(d, utf8, to);
	part(b, utf8 ? "message/global-delivery-status" :
	    "message/delivery-status", utf8, to);
	add_status(d, utf8, to);
	part(b, returned_type(d, utf8), d->eightbit || utf8, to);
}

void
dsn_end(const struct buf *boundary, struct buf *to)
{
	buf_adds(to, "\r\n--");
	buf_add(to, buf_span(boundary));
	buf_adds(to, "--\r\n");
}

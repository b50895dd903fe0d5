/* SPDX-License-Identifier: ISC */
#include "smtp/reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

/* RFC 5321 4.5.3.1.5: 512 octets a line; code, status and CRLF aside. */
enum { TEXT_MAX = 480, PEER_TEXT_MAX = 4096 };

static const struct {
	unsigned code;
	const char *status, *text;
} answers[] = {
	[SMTP_OK] = { 250, "2.0.0", "Ok" },
	[SMTP_BAD_COMMAND] = { 500, "5.5.2", "Unknown command" },
	[SMTP_BAD_SYNTAX] = { 501, "5.5.4", "Bad arguments" },
	[SMTP_NOT_HERE] = { 502, "5.5.1", "Not offered here" },
	[SMTP_NO_HELO] = { 503, "5.5.1", "Say who you are first: EHLO" },
	[SMTP_NO_HELO_LMTP] = { 503, "5.5.1",
	    "Say who you are first: LHLO" },
	[SMTP_NO_MAIL] = { 503, "5.5.1", "MAIL first" },
	[SMTP_NOBODY_YET] = { 503, "5.5.1", "RCPT first" },
	[SMTP_IN_MAIL] = { 503, "5.5.1",
	    "Not within a transaction: RSET first" },
	[SMTP_CHUNKS_CAME] = { 503, "5.5.1",
	    "Chunks came already: RSET first" },
	[SMTP_CHUNK_REFUSED] = { 503, "5.5.1",
	    "A chunk was refused: RSET first" },
	[SMTP_BINARY_DATA] = { 503, "5.5.1",
	    "BODY=BINARYMIME goes by BDAT, not by DATA" },
	[SMTP_AUTH_DONE] = { 503, "5.5.1", "You have logged in already" },
	[SMTP_AUTH_NONE] = { 503, "5.5.1", "Nobody can log in here" },
	[SMTP_TLS_DONE] = { 503, "5.5.1", "Too late for STARTTLS" },
	[SMTP_LINE_END] = { 500, "5.5.2", "Lines end in CR LF" },
	[SMTP_TOO_LONG] = { 500, "5.5.6", "Line too long" },
	[SMTP_TOO_MANY] = { 452, "4.5.3", "Too many recipients" },
	[SMTP_TOO_BIG] = { 552, "5.3.4", "Message too big" },
	[SMTP_NEED_AUTH] = { 530, "5.7.0", "Authentication required" },
	[SMTP_NEED_TLS] = { 530, "5.7.0", "Must issue STARTTLS first" },
	[SMTP_LATER] = { 451, "4.3.0", "Local trouble, try again later" },
	[SMTP_FULL] = { 452, "4.3.1", "No room for the message now" },
	[SMTP_BARE] = { 554, "5.6.0",
	    "Bare CR or LF in the message; lines end in CR LF" },
	[SMTP_NO_RCPT] = { 554, "5.5.0", "No valid recipients" },
};

void
smtp_reply_free(struct smtp_reply *r)
{
	buf_free(&r->text);
	*r = (struct smtp_reply){ 0 };
}

unsigned
smtp_reply_class(const struct smtp_reply *r)
{
	return r->code / 100;
}

/* RFC 3463 2: class "." subject "." detail, at most three digits each.
 * The length of such a code at the front of s, 0 if there is none. */
static size_t
status_length(struct span s)
{
	size_t i = 1;

	if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t from;

		if (i == s.n || s.p[i++] != '.')
			return 0;
		for (from = i; i < s.n && ascii_digit(s.p[i]); i++)
			;
		if (i == from || i - from > 3)
			return 0;
	}
	return i == s.n || s.p[i] == ' ' ? i : 0;
}

static void
set_status(struct smtp_reply *r, struct span status)
{
	if (status.n == 0 || r->code / 100 == 3) {
		r->status[0] = '\0';
		return;
	}
	if (status.n >= sizeof r->status ||
	    status_length(status) != status.n ||
	    (unsigned)(status.p[0] - '0') != r->code / 100) {
		/* RFC 2034 4: the class is the reply's. */
		snprintf(r->status, sizeof r->status, "%u.0.0",
		    r->code / 100 % 10);
		return;
	}
	memcpy(r->status, status.p, status.n);
	r->status[status.n] = '\0';
}

void
smtp_reply_span(struct smtp_reply *r, unsigned code, const char *status,
    struct span text)
{
	struct buf copy = { 0 };

	assert(code >= 200 && code <= 599);
	buf_add(&copy, text);	/* text may be part of r->text */
	buf_free(&r->text);
	r->text = copy;
	r->code = code;
	set_status(r, span_str(status));
}

void
smtp_reply_set(struct smtp_reply *r, unsigned code, const char *status,
    const char *text)
{
	smtp_reply_span(r, code, status, span_str(text));
}

void
smtp_reply_f(struct smtp_reply *r, unsigned code, const char *status,
    const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	smtp_reply_set(r, code, status, text);
}

void
smtp_reply_copy(struct smtp_reply *to, const struct smtp_reply *from)
{
	if (to == from)
		return;
	buf_clear(&to->text);
	buf_add(&to->text, buf_span(&from->text));
	to->code = from->code;
	memcpy(to->status, from->status, sizeof to->status);
}

void
smtp_reply_std(struct smtp_reply *r, enum smtp_answer a)
{
	assert((size_t)a < COUNT(answers));
	smtp_reply_set(r, answers[a].code, answers[a].status,
	    answers[a].text);
}

static void
write_text(struct out *out, struct span line, bool utf8)
{
	line = span_head(line, TEXT_MAX);
	utf8 = utf8 && utf8_valid(line);
	for (size_t i = 0; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];
		bool fine = (c >= ' ' && c <= '~') || c == '\t' ||
		    (c >= 0x80 && utf8);

		out_addc(out, fine ? line.p[i] : '?');
	}
}

void
smtp_reply_write(const struct smtp_reply *r, struct out *out, bool utf8)
{
	struct span text = buf_span(&r->text);

	assert(r->code >= 200 && r->code <= 599);
	if (text.p == NULL)
		text = SPAN("");
	while (text.p != NULL) {
		struct span line = span_cut(&text, '\n');

		out_addu(out, r->code);
		out_addc(out, text.p != NULL ? '-' : ' ');
		if (r->status[0] != '\0') {
			out_adds(out, r->status);
			out_addc(out, ' ');
		}
		write_text(out, line, utf8);
		out_add(out, SPAN("\r\n"));
	}
}

int
smtp_reply_line(struct smtp_reply *r, struct span line)
{
	struct span text = span_skip(line, 4);
	uint64_t code;
	size_t n;

	/* RFC 5321 4.2: Reply-code [ SP or "-" text ] */
	if (line.n < 3 || !span_u64(span_head(line, 3), 599, &code) ||
	    code < 200 || (line.n > 3 && line.p[3] != ' ' &&
	    line.p[3] != '-'))
		return -1;
	if (r->code != 0 && r->code != code)
		return -1;
	n = status_length(text);
	if (n > 0 && (unsigned)(text.p[0] - '0') != code / 100)
		n = 0;
	if (r->code == 0) {
		r->code = (unsigned)code;
		buf_clear(&r->text);
		set_status(r, n > 0 ? span_head(text, n) : SPAN("-"));
	} else if (r->text.n < PEER_TEXT_MAX) {
		buf_addc(&r->text, '\n');
	}
	if (n > 0)
		text = span_skip(text, n + 1);
	if (r->text.n < PEER_TEXT_MAX)
		buf_add(&r->text, text);
	return line.n > 3 && line.p[3] == '-' ? 0 : 1;
}

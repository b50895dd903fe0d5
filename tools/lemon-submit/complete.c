/* SPDX-License-Identifier: ISC */
#include "complete.h"

#include "mime/header.h"

void
complete_begin(struct complete *c)
{
	complete_free(c);
	c->spool.fd = -1;
}

void
complete_free(struct complete *c)
{
	if (c->spool.fd > 0)
		spool_free(&c->spool);
	buf_free(&c->spool.head);
	buf_free(&c->from);
	buf_free(&c->sender);
	buf_free(&c->message_id);
	buf_free(&c->line);
	*c = (struct complete){ .spool = { .fd = -1 } };
}

static void
body(struct complete *c, struct span s)
{
	domain_feed(&c->body, s);
	spool_add(&c->spool, s);
}

static void
keep(struct complete *c, struct span s)
{
	if (c->drop)
		return;
	domain_feed(&c->head, s);
	spool_add(&c->spool, s);
	if (c->keep == NULL)
		return;
	if (c->keep->n + s.n > COMPLETE_VALUE_MAX)
		c->too_long = true;
	else
		buf_add(c->keep, s);
}

/* A field begins: what is it? */
static void
begin_field(struct complete *c, struct span line)
{
	struct span name = span_trim(span_head(line, span_chr(line, ':')));

	/* RFC 6409 8, RFC 5322 3.6.3 and 3.6.7: for the sender's eyes, or
	 * for the last hop to write. */
	c->drop = span_ieq(name, SPAN("Bcc")) ||
	    span_ieq(name, SPAN("Resent-Bcc")) ||
	    span_ieq(name, SPAN("Return-Path"));
	c->keep = NULL;
	c->field = true;
	if (span_ieq(name, SPAN("From"))) {
		c->froms++;
		c->keep = &c->from;
	} else if (span_ieq(name, SPAN("Sender"))) {
		c->senders++;
		c->keep = &c->sender;
	} else if (span_ieq(name, SPAN("Received"))) {
		c->received++;
	} else if (span_ieq(name, SPAN("Date"))) {
		c->date = true;
	} else if (span_ieq(name, SPAN("Message-ID"))) {
		c->ids++;
		c->keep = c->ids == 1 ? &c->message_id : NULL;
	}
	if (c->keep != NULL) {
		size_t colon = span_chr(line, ':') + 1;
		struct buf *value = c->keep;

		c->keep = NULL;
		keep(c, span_head(line, colon));
		c->keep = value;
		line = span_skip(line, colon);
	}
	keep(c, line);
}

/* The header ends here, with an empty line or without one. */
static void
end_header(struct complete *c)
{
	c->drop = false;
	c->keep = NULL;
	spool_add(&c->spool, SPAN("\r\n"));
	c->header = spool_size(&c->spool);
	c->state = COMPLETE_BODY;
}

/* The line so far is enough to know what it is. */
static void
begin_line(struct complete *c, bool whole)
{
	struct span line = buf_span(&c->line);

	if (span_eq(line, SPAN("\r\n"))) {
		end_header(c);
	} else if (c->field && (line.p[0] == ' ' || line.p[0] == '\t')) {
		keep(c, line);
	} else if (header_is_field(line)) {
		begin_field(c, line);
	} else if (!c->field && span_starts(line, SPAN("From "))) {
		c->drop = c->field = true;	/* of a mailbox file */
		c->keep = NULL;
	} else {
		/* No header, or a body without an empty line before it. */
		end_header(c);
		body(c, line);
	}
	if (c->state != COMPLETE_BODY)
		c->state = whole ? COMPLETE_HEADER : COMPLETE_REST;
	buf_clear(&c->line);
}

void
complete_feed(struct complete *c, struct span s)
{
	while (s.n > 0 && c->state != COMPLETE_BODY) {
		size_t lf = span_chr(s, '\n');
		struct span part = span_head(s, lf + 1);

		if (c->state == COMPLETE_REST) {
			keep(c, part);
			if (lf < s.n)
				c->state = COMPLETE_HEADER;
		} else {
			size_t room = COMPLETE_LINE_MAX - c->line.n;

			part = span_head(part, room);
			buf_add(&c->line, part);
			if (part.p[part.n - 1] == '\n')
				begin_line(c, true);
			else if (c->line.n == COMPLETE_LINE_MAX)
				begin_line(c, false);
		}
		s = span_skip(s, part.n);
	}
	if (s.n > 0)
		body(c, s);
}

void
complete_end(struct complete *c)
{
	if (c->line.n > 0)
		begin_line(c, true);
	if (c->state != COMPLETE_BODY)
		end_header(c);
	domain_end(&c->head);
	domain_end(&c->body);
}

enum complete_error
complete_check(const struct complete *c, unsigned hops_max)
{
	if (c->received > hops_max)	/* RFC 5321 6.3 */
		return COMPLETE_LOOP;
	if (c->froms > 1 || c->senders > 1)
		return COMPLETE_TWO_FROM;
	if (c->too_long)
		return COMPLETE_TOO_LONG;
	return c->froms == 0 ? COMPLETE_NO_FROM : COMPLETE_OK;
}

/* SPDX-License-Identifier: ISC */
#include "smtp/server.h"

#include "net/trace.h"
#include "smtp/dot.h"
#include "smtp/verbs.h"

static bool
too_big(const struct smtp_server *s)
{
	return s->size_max > 0 && s->size > s->size_max;
}

/* The message's octets; what is over the limit is counted only. */
static void
sink(void *ctx, struct span octets)
{
	struct smtp_server *s = ctx;

	s->size += octets.n;
	if (!too_big(s))
		s->host->chunk(s->ctx, octets);
}

/* The same answer for everyone it is due to (RFC 2033 4.2). */
static void
answer_all(struct smtp_server *s, const struct smtp_reply *r)
{
	size_t n = s->lmtp && s->rcpts > 0 ? s->rcpts : 1;

	while (n-- > 0)
		smtp_say_reply(s, r);
}

static void
refuse_all(struct smtp_server *s, enum smtp_answer a)
{
	struct smtp_reply r = { 0 };

	smtp_reply_std(&r, a);
	answer_all(s, &r);
	smtp_reply_free(&r);
}

/* Let the host act on the whole message, and answer. */
static void
finish(struct smtp_server *s)
{
	size_t n = s->lmtp ? s->rcpts : 1;
	struct smtp_reply *r = arena_zero(&s->arena, n * sizeof *r);

	for (size_t i = 0; i < n; i++)
		smtp_reply_std(&r[i], SMTP_OK);
	s->host->end(s->ctx, r, n);
	smtp_patience(s);	/* that may have taken all of it */
	for (size_t i = 0; i < n; i++) {
		smtp_say_reply(s, &r[i]);
		smtp_reply_free(&r[i]);
	}
	s->messages++;
	s->idle = 0;
	smtp_forget(s);
}

/* Whether the message may begin; else *r says why not. */
static bool
begin(struct smtp_server *s, struct smtp_reply *r)
{
	smtp_reply_std(r, SMTP_OK);
	if (s->host->begin != NULL)
		s->host->begin(s->ctx, r);
	return smtp_reply_class(r) == 2;
}

/* Some octets of a message.  A buffer's length each time-out: who is slower
 * than that is not sending mail.  *got counts since it was set. */
static struct span
pull(struct smtp_server *s, size_t max, size_t *got)
{
	struct span some;

	if (*got >= STREAM_BUFFER) {
		smtp_patience(s);
		*got = 0;
	}
	some = in_some(s->in, max);
	*got += some.n;
	return some;
}

/* RFC 5321 4.1.1.4 */
static void
read_data(struct smtp_server *s)
{
	struct dot d = { 0 };
	size_t since = STREAM_BUFFER;

	while (d.state < DOT_ENDED) {
		struct span got;
		size_t used;

		got = pull(s, STREAM_BUFFER, &since);
		if (got.n == 0) {
			smtp_lost(s);
			return;
		}
		used = dot_read(&d, got, sink, s);
		/* What follows is the next command's: give it back. */
		s->in->from -= got.n - used;
		s->in->total -= got.n - used;
	}
	if (d.state == DOT_BARE) {
		refuse_all(s, SMTP_BARE);
		smtp_leave(s, SMTP_BYE_BARE);
	} else if (too_big(s)) {
		refuse_all(s, SMTP_TOO_BIG);
		smtp_forget(s);
	} else {
		finish(s);
	}
}

void
smtp_verb_data(struct smtp_server *s, struct span args)
{
	struct smtp_reply r = { 0 };

	if (args.n > 0) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		return;
	}
	/* RFC 3030 2 and 3: no DATA after BDAT, nor for BINARYMIME; RFC 2033
	 * 4.2: LMTP says 503 without a recipient. */
	enum smtp_answer lacks = smtp_out_of_order(s);

	if (s->chunk == SMTP_CHUNK_OPEN)	/* only RSET is left then */
		s->chunk = SMTP_CHUNK_FAILED;
	if (!s->in_mail || s->chunk != SMTP_CHUNK_NONE ||
	    s->mail.body == SMTP_BODY_BINARY ||
	    (s->rcpts == 0 && (s->lmtp || s->rcpts_tried == 0))) {
		smtp_say(s, lacks);
		return;
	}
	if (s->rcpts == 0) {
		smtp_say(s, SMTP_NO_RCPT);
		return;
	}
	if (begin(s, &r)) {
		smtp_reply_set(&r, 354, NULL, "Go ahead, end with CRLF.CRLF");
		smtp_say_reply(s, &r);
		read_data(s);
	} else {
		smtp_say_reply(s, &r);
	}
	smtp_reply_free(&r);
}

/* Take a chunk's octets, to the host or to nowhere.  False if the stream
 * ended. */
static bool
read_chunk(struct smtp_server *s, uint64_t left)
{
	size_t since = STREAM_BUFFER;

	while (left > 0) {
		struct span got;

		got = pull(s, left < STREAM_BUFFER ? (size_t)left :
		    STREAM_BUFFER, &since);
		if (got.n == 0) {
			smtp_lost(s);
			return false;
		}
		left -= got.n;
		if (s->chunk == SMTP_CHUNK_OPEN)
			sink(s, got);
	}
	return true;
}

/* Whether this chunk counts; else *why says why not, and none of this
 * transaction will (RFC 3030 2, RFC 4468 3.2). */
static bool
chunk_allowed(struct smtp_server *s, struct smtp_reply *why)
{
	smtp_reply_std(why, s->in_mail && s->rcpts == 0 &&
	    s->rcpts_tried > 0 && !s->lmtp ? SMTP_NO_RCPT :
	    smtp_out_of_order(s));
	if (s->in_mail && s->chunk == SMTP_CHUNK_NONE)
		s->chunk = s->rcpts > 0 && begin(s, why) ? SMTP_CHUNK_OPEN :
		    SMTP_CHUNK_FAILED;
	return s->chunk == SMTP_CHUNK_OPEN;
}

static void
chunk_too_big(struct smtp_server *s, struct smtp_reply *why)
{
	s->chunk = SMTP_CHUNK_FAILED;
	smtp_reply_std(why, SMTP_TOO_BIG);
}

/* Answer a chunk: how it went, or what became of the whole message. */
static void
chunk_answer(struct smtp_server *s, const struct smtp_reply *r, bool last)
{
	bool good = s->chunk == SMTP_CHUNK_OPEN;

	if (good && last)
		finish(s);
	else if (last)
		answer_all(s, r);
	else
		smtp_say_reply(s, r);
}

/* RFC 3030 2.  What follows is always read, whatever the answer is; after
 * a refusal the rest of the transaction is refused too, so that no part of
 * a message is ever taken for the whole. */
void
smtp_verb_bdat(struct smtp_server *s, struct span args)
{
	struct smtp_reply r = { 0 };
	uint64_t size;
	bool last;

	if (!smtp_bdat_parse(args, &size, &last)) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		smtp_leave(s, SMTP_BYE_SYNC);	/* no telling where it ends */
		return;
	}
	if (!chunk_allowed(s, &r))
		;
	else if (s->size_max > 0 && size > s->size_max - s->size)
		chunk_too_big(s, &r);
	else
		smtp_reply_std(&r, SMTP_OK);
	if (read_chunk(s, size))
		chunk_answer(s, &r, last);
	smtp_reply_free(&r);
}

bool
smtp_server_add(struct smtp_server *s, struct span octets)
{
	sink(s, octets);
	return !too_big(s);
}

bool
smtp_server_ahead(const struct smtp_server *s, size_t *at, struct span *url)
{
	struct span all = { s->in->p, s->in->to };
	uint64_t size;
	bool last;

	for (;;) {
		struct span rest = span_skip(all, s->in->from + *at);
		size_t n = span_find(rest, SPAN("\r\n"));
		struct span args = span_head(rest, n);
		struct span verb = span_cut(&args, ' ');

		if (n == rest.n)
			return false;
		*at += n + 2;
		if (span_ieq(verb, SPAN("BURL"))) {
			if (!smtp_burl_parse(args, url, &last))
				return false;
			if (last)
				*at = all.n;
			return true;
		}
		if (!span_ieq(verb, SPAN("BDAT")) ||
		    !smtp_bdat_parse(args, &size, &last) || last ||
		    size > rest.n - n - 2)
			return false;
		*at += (size_t)size;
	}
}

/* RFC 4468 3.2: a chunk that we get ourselves. */
void
smtp_verb_burl(struct smtp_server *s, struct span args)
{
	struct smtp_reply r = { 0 };
	struct span url;
	bool last;

	trace_redact(s->in->trace, smtp_burl_shown(buf_span(&s->line)));
	if (!smtp_burl_parse(args, &url, &last)) {
		smtp_say(s, SMTP_BAD_SYNTAX);
		if (s->in_mail)
			s->chunk = SMTP_CHUNK_FAILED;
		return;
	}
	if (chunk_allowed(s, &r)) {
		smtp_reply_set(&r, 250, "2.5.0", "Waiting for more");
		s->host->burl(s->ctx, url, &r);
		smtp_patience(s);	/* that may have taken all of it */
		if (too_big(s))
			chunk_too_big(s, &r);
		else if (smtp_reply_class(&r) != 2)
			s->chunk = SMTP_CHUNK_FAILED;
	}
	chunk_answer(s, &r, last);
	smtp_reply_free(&r);
}

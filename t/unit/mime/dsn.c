/* SPDX-License-Identifier: ISC */
#include "mime/dsn.h"

#include "mime/build.h"
#include "mime/header.h"
#include "mime/param.h"
#include "mime/parse.h"
#include "../../t.h"

static bool
has(struct span s, const char *what)
{
	return span_find(s, span_str(what)) < s.n;
}

static void
report(struct dsn *d, struct span message, struct buf *to)
{
	struct buf boundary = { 0 };

	buf_clear(to);
	dsn_begin(d, &boundary, to);
	buf_add(to, message);
	dsn_end(&boundary, to);
	buf_free(&boundary);
}

/* What a message claims to be called is referred to only if it can be. */
static void
test_names(void)
{
	static const struct {
		const char *id;
		bool told;
	} t[] = {
		{ "<1@x>", true }, { "", false }, { "<1@x> <2@x>", false },
		{ "<1@x>\r\n evil: y", false }, { "1@x", false },
		{ "<\xff@x>", false }, { "<1@x", false },
	};
	struct dsn_rcpt rcpt = { .action = DSN_DELIVERED,
		.final = SPAN("b@x"), .status = SPAN("2.0.0") };
	struct buf out = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		struct dsn d = { .me = SPAN("me"), .to = SPAN("a@x"),
			.message_id = span_str(t[i].id), .rcpt = &rcpt,
			.rcpts = 1 };

		report(&d, SPAN(""), &out);
		ok(has(buf_span(&out), "References: <1@x>\r\n") ==
		    t[i].told && has(buf_span(&out), "References") ==
		    t[i].told && !has(buf_span(&out), "evil"), t[i].id);
	}
	buf_free(&out);
}

static void
test_failed(void)
{
	struct dsn_rcpt rcpt[] = {
		{ .action = DSN_FAILED, .final = SPAN("bob@x.example"),
		    .orcpt_type = SPAN("rfc822"),
		    .orcpt = SPAN("Bob+1@x.example"),
		    .status = SPAN("5.1.1"),
		    .diagnostic = SPAN("550 5.1.1 no\r\nBcc: such user"),
		    .remote = SPAN("mx.x.example") },
		{ .action = DSN_RELAYED, .final = SPAN("c@y.example"),
		    .status = SPAN("2.1.9") },
	};
	struct dsn d = { .me = SPAN("me.example"),
		.to = SPAN("alice@me.example"), .has_envid = true,
		.envid = SPAN("id=1"), .message_id = SPAN("<1@me.example>"),
		.arrived = 880127706, .now = 880127707, .rcpt = rcpt,
		.rcpts = 2 };
	struct buf out = { 0 }, digest = { 0 };
	struct mime_parser *p = mime_parser_new(false);
	struct digest g;

	ok(dsn_wants_full(&d, true) && !dsn_wants_full(&d, false),
	    "the whole message is returned if it is wanted and one failed");
	d.full = true;
	report(&d, SPAN("Subject: x\r\n\r\nbody\r\n"), &out);
	struct span s = buf_span(&out);

	ok(has(s, "\r\nOriginal-Envelope-Id: id=1\r\nReporting-MTA: dns; "
	    "me.example\r\nArrival-Date: Fri, 21 Nov 1997 15:55:06 +0000\r\n"),
	    "the fields of the message");
	ok(has(s, "\r\n\r\nOriginal-Recipient: rfc822; Bob+1@x.example\r\n"
	    "Final-Recipient: rfc822; bob@x.example\r\nAction: failed\r\n"
	    "Status: 5.1.1\r\nRemote-MTA: dns; mx.x.example\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no  Bcc: such user\r\n"),
	    "the fields of a recipient, tamed");
	ok(has(s, "\r\n\r\nFinal-Recipient: rfc822; c@y.example\r\nAction: "
	    "relayed\r\nStatus: 2.1.9\r\n"), "and of another");
	ok(has(s, "\r\nAuto-Submitted: auto-replied\r\n") &&
	    has(s, "In-Reply-To: <1@me.example>\r\n"), "no machine answers");
	mime_parser_feed(p, s);
	mime_parser_finish(p, &digest);
	mime_parser_free(p);
	ok(digest_open(buf_span(&digest), &g) && g.parts == 5 &&
	    has(g.body, "\"delivery-status\"") && has(g.body, "\"rfc822\"") &&
	    has(g.bodystructure, "\"report-type\" \"delivery-status\""),
	    "it is a multipart/report of three parts");
	bool body_of;
	const struct digest_part *q = digest_find(&g, (uint32_t[]){ 3 }, 1,
	    &body_of);

	is((struct span){ out.p + q->file_body, q->file_end - q->file_body },
	    SPAN("Subject: x\r\n\r\nbody\r\n"), "with the message unchanged");
	buf_free(&out);
	buf_free(&digest);
}

static void
test_success(void)
{
	struct dsn_rcpt rcpt = { .action = DSN_DELIVERED,
		.final = SPAN("j\xc3\xb6rg@x.example"),
		.status = SPAN("2.0.0") };
	struct dsn d = { .me = SPAN("me.example"), .to = SPAN("a@b.example"),
		.rcpt = &rcpt, .rcpts = 1 };
	struct buf out = { 0 };

	ok(!dsn_wants_full(&d, true), "a success returns the header only");
	report(&d, SPAN("Subject: x\r\n"), &out);
	struct span s = buf_span(&out);

	ok(has(s, "report-type=global-delivery-status") &&
	    has(s, "Content-Type: message/global-delivery-status\r\n") &&
	    has(s, "Final-Recipient: utf-8; j\xc3\xb6rg@x.example\r\n") &&
	    has(s, "Content-Type: message/global-headers\r\n"),
	    "an address beyond ASCII makes a global report");
	rcpt.final = SPAN("j@x.example");
	report(&d, SPAN("Subject: x\r\n"), &out);
	s = buf_span(&out);
	ok(has(s, "Content-Type: text/rfc822-headers\r\n") &&
	    has(s, "Action: delivered\r\n"), "an ASCII one does not");
	buf_free(&out);
}

static void
test_build(void)
{
	struct buf a = { 0 }, b = { 0 };
	struct build_trace t = { .helo = SPAN("x (\r\nEvil: y)"),
		.ip = SPAN("::1"), .by = SPAN("me"), .with = "LMTP",
		.recipient = SPAN("a@b"), .now = 0 };

	build_message_id(&a, SPAN("me.example"));
	build_message_id(&b, SPAN("me.example"));
	ok(!span_eq(buf_span(&a), buf_span(&b)) && a.p[0] == '<' &&
	    span_ends(buf_span(&a), SPAN("@me.example>")),
	    "message identifiers differ");
	buf_clear(&a);
	build_received(&a, &t);
	is(buf_span(&a), SPAN("Received: from x????Evil:?y? ([IPv6:::1])\r\n"
	    "\tby me with LMTP\r\n\tfor <a@b>;\r\n\tThu, 1 Jan 1970 00:00:00 "
	    "+0000\r\n"), "a greeting forges no field");
	buf_clear(&a);
	build_return_path(&a, SPAN(""));
	build_delivered_to(&a, SPAN("a@b\r\nX: y"));
	is(buf_span(&a), SPAN("Return-Path: <>\r\nDelivered-To: a@b??X: y"
	    "\r\n"), "nor does an address");
	buf_free(&a);
	buf_free(&b);
}

int
main(void)
{
	test_names();
	test_failed();
	test_success();
	test_build();
	return done();
}

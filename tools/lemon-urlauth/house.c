/* SPDX-License-Identifier: ISC */
#include "house.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "net/stream.h"
#include "smtp/inject.h"

enum { HINTED = 200 };	/* octets that somebody typed, perhaps */

/* --- the owner's mail --- */

static void
settings(struct house *h)
{
	struct control *c = &h->control;

	c->user = h->mail.account.name;
	c->guest = h->mail.path;
	if (!imap_space_read(c, &h->space_value, &h->space))
		die_temp("%s", IMAP_SPACE_WRONG);
	inject_me(c, &h->me);
	/* Another system's users are none of a Maildir's. */
	if (!h->mail.path)
		control_list(c, "locals", &h->locals);
}

void
house_open(struct house *h, const struct ask *a)
{
	const struct confine walls = { 0 };
	struct buf why = { 0 };
	const char *wrong = NULL;

	h->ask = a;
	h->now = clock_now();
	control_init(&h->control);
	int r = mail_find(&h->control, a->who, &h->mail, &why);

	if (r < 0)
		die_temp("%s", buf_cstr(&why));
	if (r == 0)
		die_refused("%s", buf_cstr(&why));
	settings(h);
	if (mail_open(&h->mail, &walls, &h->store, &wrong) != STORE_OK)
		die_temp("%s: %s", a->who, wrong);
	h->owner = (struct owner){ .store = h->store, .space = &h->space,
		.name = span_str(h->mail.account.name),
		.locals = buf_span(&h->locals) };
}

void
house_close(struct house *h)
{
	store_close(h->store);
	arena_free(&h->arena);
	buf_free(&h->space_value);
	buf_free(&h->locals);
	buf_free(&h->me);
	mail_free(&h->mail);
}

void
house_must(const struct house *h, enum store_result r)
{
	if (r != STORE_OK)
		die_temp("%s", store_why(h->store));
}

void
house_folder(const struct house *h, const char *typed, struct buf *name)
{
	enum store_result r = mail_folder(h->store, typed, name);

	if (r == STORE_NONEXISTENT)
		die_refused("%s: no such mailbox", typed);
	house_must(h, r);
}

/* --- URLs --- */

/* The worse of two: "later" hides nothing that is never valid. */
static int
worse(int a, int b)
{
	return a > b ? a : b;
}

/* Standard input may take its time: what expires meanwhile has expired. */
static int
url(struct house *h, const struct act *act, struct span text)
{
	h->now = clock_now();
	int code = act->url(h, text);

	arena_reset(&h->arena);
	return code;
}

/* What is too long for a URL stays so. */
static bool
next_line(struct in *in, struct buf *line)
{
	buf_clear(line);
	enum line l = in_line(in, line, IMAP_URL_MAX + LINE_TAIL + 1);

	if (l == LINE_END && in->state != STREAM_EOF)
		die_temp("standard input: %s", strerror(in->error));
	return l != LINE_END || line->n > 0;
}

static int
from_lines(struct house *h, const struct act *act)
{
	struct buf line = { 0 };
	struct in in;
	struct out out;
	int code = EXIT_OK;

	stream_open(&in, &out, 0, 1);
	while ((code == EXIT_OK || act->goes_on) && next_line(&in, &line)) {
		struct span text = span_trim(buf_span(&line));

		if (text.n > 0)
			code = worse(code, url(h, act, text));
	}
	stream_free(&in, &out);
	buf_free(&line);
	return code;
}

int
house_urls(struct house *h, const struct act *act)
{
	int code = EXIT_OK;

	if (h->ask->urls == 0)
		return from_lines(h, act);
	for (int i = 0; i < h->ask->urls &&
	    (code == EXIT_OK || act->goes_on); i++)
		code = worse(code, url(h, act, span_str(h->ask->url[i])));
	return code;
}

/* --- what became of them --- */

/* Without what would let its reader use it. */
static struct span
shown(struct house *h, struct span text)
{
	struct imap_url u;

	if (imap_url_parse(&h->arena, text, &u) == NULL)
		return u.rump.p != NULL ? u.rump : text;
	size_t at = span_ifind(text, SPAN(";URLAUTH="));

	return span_head(text, at);
}

int
house_invalid(struct house *h, struct span text, const char *why)
{
	struct buf line = { 0 };

	buf_adds(&line, program_name());
	buf_adds(&line, ": ");
	buf_adds(&line, why);
	buf_adds(&line, ": ");
	log_text(&line, shown(h, text), 500);
	buf_addc(&line, '\n');
	fflush(stdout);
	fwrite(line.p, 1, line.n, stderr);
	buf_free(&line);
	return EXIT_INVALID;
}

int
house_no_url(struct house *h, struct span text, const char *why)
{
	size_t section = span_ifind(text, SPAN(";SECTION="));

	if (span_starts(text, SPAN("-")))
		why = "options stand before the user";
	else if (section > 0 && section < text.n &&
	    text.p[section - 1] != '/')
		why = "a \"/\" stands before ;SECTION=";
	else if (text.n < HINTED &&
	    span_ifind(text, SPAN(";UID=")) == text.n &&
	    span_chr(text, ':') == text.n)
		why = "no URL of a message, which is as /INBOX/;UID=1";
	return house_invalid(h, text, why);
}

int
house_not_ours(struct house *h, struct span text, struct span owner)
{
	struct buf why = { 0 };

	buf_adds(&why, "it is ");
	log_text(&why, owner, 400);
	buf_addf(&why, "'s mail, not %.*s's", (int)h->owner.name.n,
	    h->owner.name.p);
	int code = house_invalid(h, text, buf_cstr(&why));

	buf_free(&why);
	return code;
}

const char *
house_why(struct house *h, const struct imap_url *u, enum grant g)
{
	struct mailbox *mb;

	if (g != GRANT_GONE)
		return grant_text(g);
	enum store_result r = house_mailbox(h, u, &mb);

	if (r == STORE_OK)
		mailbox_close(mb);
	return r == STORE_NONEXISTENT ? "no such mailbox" : grant_text(g);
}

int
house_grant(struct house *h, struct span text, const struct imap_url *u,
    enum grant g)
{
	if (g == GRANT_OK)
		return EXIT_OK;
	if (g != GRANT_LATER)
		return house_invalid(h, text, house_why(h, u, g));
	house_invalid(h, text, store_why(h->store));
	return EXIT_TEMP;
}

int
house_result(struct house *h, struct span text, const struct imap_url *u,
    enum store_result r)
{
	return house_grant(h, text, u, grant_found(r));
}

void
house_print(struct buf *line)
{
	buf_addc(line, '\n');
	fwrite(line->p, 1, line->n, stdout);
}

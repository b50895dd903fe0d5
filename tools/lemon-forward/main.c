/* SPDX-License-Identifier: ISC */
/* Forward a message, or parts of it, that stay where they are. */
#include <signal.h>
#include <stdio.h>

#include "base/die.h"
#include "forward.h"

static void
tally_line(const char *name, unsigned trips, uint64_t out, uint64_t in)
{
	fprintf(stderr, "%s: %s %u round trips, %llu octets out, %llu in\n",
	    program_name(), name, trips, (unsigned long long)out,
	    (unsigned long long)in);
}

void
tally(const struct forward *f)
{
	if (!f->verbose)
		return;
	tally_line("imap", f->imap.trips, f->imap.out.total,
	    f->imap.in.total);
	if (f->marked_out > 0)
		fprintf(stderr, "%s: of these %llu and %llu octets for "
		    "keywords\n", program_name(),
		    (unsigned long long)f->marked_out,
		    (unsigned long long)f->marked_in);
	tally_line("submission", f->smtp.trips, f->smtp.out.total,
	    f->smtp.in.total);
}

/* By reference, if both servers can, and by way of us if not. */
static enum way
choose(const struct forward *f)
{
	static const enum way ways[] = { WAY_CATENATE, WAY_BURL };
	const char *why = NULL;

	for (size_t i = 0; i < COUNT(ways) && f->way != WAY_DOWNLOAD; i++) {
		if (f->way != WAY_ANY && f->way != ways[i])
			continue;
		const char *lacks = mailbox_lacks(f, ways[i]);

		if (lacks == NULL)
			lacks = submit_lacks(f, ways[i]);
		if (lacks == NULL)
			return ways[i];
		if (why == NULL)
			why = lacks;
	}
	if (why != NULL)
		fprintf(stderr, "%s: %s: what is forwarded is downloaded and "
		    "uploaded\n", program_name(), why);
	return WAY_DOWNLOAD;
}

/* Which way was taken, where that is wanted. */
static void
say_way(const struct forward *f, enum way way)
{
	static const char *const name[] = {
		[WAY_CATENATE] = "catenate, copy in ",
		[WAY_BURL] = "burl, no copy",
		[WAY_DOWNLOAD] = "download, copy in ",
	};

	if (f->verbose)
		fprintf(stderr, "%s: %s%.*s\n", program_name(), name[way],
		    way == WAY_BURL ? 0 : (int)f->sent.n, f->sent.p);
}

/* How many have it, where not all do. */
static void
say_sent(const struct forward *f, size_t refused)
{
	if (f->rcpts > 1 && (refused > 0 || f->verbose))
		fprintf(stderr, "%s: sent to %zu of %zu\n", program_name(),
		    f->rcpts - refused, f->rcpts);
}

int
main(int argc, char **argv)
{
	struct forward f;
	enum way way;
	size_t refused;

	die_name(argv[0]);
	signal(SIGPIPE, SIG_IGN);
	options(&f, argc, argv);
	mailbox_open(&f);
	submit_open(&f);
	way = choose(&f);
	say_way(&f, way);
	if (way == WAY_CATENATE)
		way_catenate(&f);
	else if (way == WAY_BURL)
		way_burl(&f);
	else
		way_download(&f);
	refused = submit_message(&f, way);
	say_sent(&f, refused);
	mailbox_mark(&f);
	smtp_client_close(&f.smtp);
	imap_client_close(&f.imap);
	spool_free(&f.spool);
	buf_free(&f.cover);
	arena_wipe(&f.arena);	/* the password */
	arena_free(&f.arena);
	return refused == 0 ? EXIT_OK : EXIT_REFUSED;
}

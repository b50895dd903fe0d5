/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/log.h"
#include "net/trace.h"
#include "chores.h"
#include "stop.h"

enum {
	/* Before login one command may make us hold this much, and drop
	 * that. */
	ANON_OCTETS = 8192, ANON_SKIP = 64 * 1024,
	PROBE_MS = 1000
};

struct set_list {
	struct set set;
	struct set_list *next;
};

void
session_open(struct session *s)
{
	int on = 1;

	*s = (struct session){ .state = ANON, .started = clock_ms(),
	    .strangers.fd = -1 };
	control_init(&s->control);
	s->login_ms = 1000 * (int64_t)control_num(&s->control, "logintimeout",
	    60, 1, 3600);
	peer_find(&s->peer);
	stream_open(&s->in, &s->out, 0, 1);
	s->in.trace = s->out.trace = trace_open(getenv("LEMON_TRACE"));
	s->reader = (struct reader){ .in = &s->in, .out = &s->out,
	    .arena = &s->arena, .line_max = ANON_OCTETS,
	    .total_max = ANON_OCTETS, .skip_max = ANON_SKIP };
	/* So that no part of a password is left where a smaller one was. */
	buf_room(&s->reader.line, ANON_OCTETS + LINE_TAIL);
	/* A client that went without a word is noticed by the kernel. */
	if (s->peer.ip != NULL)
		setsockopt(0, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void
session_warn(const struct session *s, const char *what)
{
	log_warn("user=%s %s: %s", s->mail.account.name, what,
	    store_why(s->store));
}

static void
log_logout(struct session *s)
{
	struct timespec cpu = { 0 };
	struct log l;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	log_begin(&l, s->store != NULL ? "logout" : "disconnect");
	log_ks(&l, "user", s->mail.account.name);
	log_ks(&l, "rip", peer_shown(&s->peer));
	log_ks(&l, "why", s->bye != NULL ? s->bye : "eof");
	log_ku(&l, "commands", s->count.commands);
	log_ku(&l, "in", s->in.total);
	log_ku(&l, "out", s->out.total);
	log_ku(&l, "fetched", s->count.fetched);
	log_ku(&l, "appended", s->count.appended);
	log_ku(&l, "expunged", s->count.expunged);
	log_ku(&l, "cpu_ms", (uint64_t)cpu.tv_sec * 1000 +
	    (uint64_t)cpu.tv_nsec / 1000000);
	log_ku(&l, "wall_ms", (uint64_t)(clock_ms() - s->started));
	log_end(&l);
}

int
session_close(struct session *s)
{
	out_flush(&s->out);
	session_unselect(s);
	log_logout(s);
	tls_free(s->tls);
	chores_finish(s);
	store_close(s->store);
	trace_close(s->in.trace);
	strangers_leave(&s->strangers);
	stream_free(&s->in, &s->out);
	session_reset(s);
	reader_free(&s->reader);
	arena_free(&s->arena);
	mail_free(&s->mail);
	buf_free(&s->code);
	buf_free(&s->space_value);
	buf_free(&s->locals);
	buf_free(&s->urlfetch);
	return s->exit;
}

struct set *
session_set(struct session *s)
{
	struct set_list *l = xcalloc(1, sizeof *l);

	l->next = s->sets;
	s->sets = l;
	return &l->set;
}

void
session_reset(struct session *s)
{
	while (s->sets != NULL) {
		struct set_list *l = s->sets;

		s->sets = l->next;
		set_free(&l->set);
		free(l);
	}
	if (s->secret)
		reader_wipe(&s->reader);
	else
		arena_reset(&s->arena);
	s->secret = false;
	buf_clear(&s->code);
	s->text = NULL;
	s->cmd = NULL;
	s->numbers = false;
	s->tag = SPAN("");
}

bool
session_name(struct session *s, struct span wire, struct span *name)
{
	struct buf b = { 0 };
	bool good = imap_mailbox_decode(&s->space, wire, &b);

	*name = arena_dup(&s->arena, buf_span(&b));
	buf_free(&b);
	if (!good)
		reply_no(s, "CANNOT", "That is no mailbox name here.");
	return good;
}

void
wire_mailbox(struct session *s, struct span name)
{
	struct buf b = { 0 };

	imap_mailbox_encode(&s->space, name, &b);
	wire_astring(&s->out, buf_span(&b));
	buf_free(&b);
}

/* The UIDs of the sequence numbers lo to hi: where there is no hole between
 * them they need no walk. */
static void
uids_of(const struct view *v, uint32_t lo, uint32_t hi, struct set *uids)
{
	uint32_t first = view_uid(v, lo), last = view_uid(v, hi);

	if (last - first == hi - lo) {
		set_add(uids, first, last);
		return;
	}
	uint32_t middle = lo + (hi - lo) / 2;

	uids_of(v, lo, middle, uids);
	uids_of(v, middle + 1, hi, uids);
}

bool
session_uids(struct session *s, const struct seqset *q, bool uid,
    struct set **uids)
{
	uint32_t exists = view_exists(s->view);

	*uids = session_set(s);
	if (uid)
		return seqset_add(q, exists ? view_uid(s->view, exists) : 0,
		    UINT32_MAX, *uids);
	struct set *seqs = session_set(s);

	/* RFC 3501 9, seq-number: BAD above the number of messages. */
	if (!seqset_add(q, exists, exists, seqs)) {
		reply_bad(s, "No message has that sequence number.");
		return false;
	}
	for (size_t i = 0; i < seqs->n; i++)
		uids_of(s->view, seqs->r[i].lo, seqs->r[i].hi, *uids);
	return true;
}

/* Whoever closed its side for writing may wait for the answer still, or be
 * gone: only writing tells. */
static void
probe(struct session *s)
{
	int64_t now = clock_ms();

	if (now - s->probed < PROBE_MS)
		return;
	s->probed = now;
	out_adds(&s->out, "* OK Still searching.\r\n");
	out_flush(&s->out);
}

bool
session_tick(void *session)
{
	struct session *s = session;
	enum out_peer peer = out_peer(&s->out);

	if (peer == PEER_SILENT)
		probe(s);
	return peer != PEER_GONE && s->in.state == STREAM_OK &&
	    s->out.state == STREAM_OK && !stop_asked();
}

void
session_unselect(struct session *s)
{
	chores_keep(s);
	view_close(s->view);
	mailbox_close(s->mailbox);
	s->view = NULL;
	s->mailbox = NULL;
	s->readonly = false;
	if (s->state == SEL)
		s->state = AUTH;
}

void
session_bye(struct session *s, const char *why, const char *text)
{
	if (!s->closing) {
		untagged(s);
		out_adds(&s->out, "BYE ");
		out_adds(&s->out, text);
		untagged_end(s);
	}
	s->closing = true;
	s->bye = why;
}

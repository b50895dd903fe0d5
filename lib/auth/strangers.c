/* SPDX-License-Identifier: ISC */
#include "auth/strangers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum {
	PLACES = 1024, PLACE = 16,	/* the addresses of who is there */
	GUESSES = 1024, WAYS = 8,	/* who guessed wrong; an address has
					   its record in one of a few places */
	MAX = 400, MAX_ADDRESS = 50,
	FREE = 5, COUNT_MAX = 100, FORGET_MS = 60 * 1000,
	WAIT_MS = 2000, WAIT_MAX_MS = 15 * 1000
};

struct guess {
	unsigned char address[16];
	int64_t when;		/* clock_ms() of the last one */
	int64_t count;
};

/* 192.0.2.1 as ::ffff:192.0.2.1.  False if it is no address. */
static bool
parse(const char *ip, unsigned char to[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, ip, to + 12) == 1) {
		memcpy(to, mapped, sizeof mapped);
		return true;
	}
	if (inet_pton(AF_INET6, ip, to) != 1)
		return false;
	if (memcmp(to, mapped, sizeof mapped) != 0)
		memset(to + 8, 0, 8);
	return true;
}

static int
open_file(const struct control *c)
{
	struct buf name = { 0 }, path = { 0 };
	int fd = -1;

	if (control_line(c, "strangers", &name) && name.n > 0) {
		if (name.p[0] != '/') {
			buf_adds(&path, c->dir);
			buf_addc(&path, '/');
		}
		buf_add(&path, buf_span(&name));
		do
			fd = open(buf_cstr(&path), O_RDWR | O_CREAT |
			    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		while (fd < 0 && errno == EINTR);
		if (fd < 0)
			log_warn("strangers: %s: %s", buf_cstr(&path),
			    strerror(errno));
	}
	buf_free(&name);
	buf_free(&path);
	return fd;
}

/* F_OFD_SETLK: take (F_WRLCK) a place, or leave it (F_UNLCK).  F_OFD_GETLK
 * and F_WRLCK: false if somebody has it. */
static bool
lock(int fd, int command, short type, unsigned place)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = (off_t)place * PLACE, .l_len = 1 };

	return fcntl(fd, command, &l) == 0 &&
	    (command != F_OFD_GETLK || l.l_type == F_UNLCK);
}

/* How many from that address are there. */
static uint64_t
count(const struct strangers *s, unsigned places)
{
	static const unsigned char none[PLACE];
	unsigned char all[PLACES * PLACE] = { 0 };
	uint64_t n = 0;

	if (file_pread(s->fd, all, (size_t)places * PLACE, 0) < 0)
		return 0;
	for (unsigned i = 0; i < places; i++)
		if (memcmp(all + i * PLACE, s->address, PLACE) == 0 &&
		    memcmp(all + i * PLACE, none, PLACE) != 0 &&
		    !lock(s->fd, F_OFD_GETLK, F_WRLCK, i))
			n++;
	return n;
}

/* From somewhere on, so that not all try the same ones. */
static bool
take(const struct strangers *s, unsigned places)
{
	unsigned from;

	random_fill(&from, sizeof from);
	from %= places;
	for (unsigned i = 0; i < places; i++) {
		unsigned place = (from + i) % places;

		if (!lock(s->fd, F_OFD_SETLK, F_WRLCK, place))
			continue;
		if (pwrite(s->fd, s->address, PLACE, (off_t)place * PLACE) !=
		    PLACE)
			log_warn("strangers: %s", strerror(errno));
		return true;
	}
	return false;
}

bool
strangers_enter(struct strangers *s, const struct control *c, const char *ip)
{
	*s = (struct strangers){ .fd = -1 };
	if (ip == NULL || !parse(ip, s->address))
		return true;
	unsigned places = (unsigned)control_num(c, "strangers-max", MAX, 1,
	    PLACES);
	uint64_t each = control_num(c, "strangers-address", MAX_ADDRESS, 1,
	    PLACES);

	s->fd = open_file(c);
	if (s->fd < 0 || (count(s, places) < each && take(s, places)))
		return true;
	close(s->fd);
	s->fd = -1;
	return false;
}

void
strangers_leave(struct strangers *s)
{
	struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (s->fd < 0)
		return;
	/* A child may have the descriptor, too. */
	fcntl(s->fd, F_OFD_SETLK, &all);
	close(s->fd);
	s->fd = -1;
}

/* Where the record of an address is, or would be best: the first of its own,
 * an empty or the oldest one.  *g is what it says now, decayed. */
static off_t
find(const struct strangers *s, struct guess *g)
{
	uint32_t hash = 2166136261u;	/* FNV-1a */
	int64_t now = clock_ms();
	struct guess way[WAYS] = { 0 };
	unsigned best = 0;

	for (size_t i = 0; i < sizeof s->address; i++)
		hash = (hash ^ s->address[i]) * 16777619u;
	unsigned set = hash % (GUESSES / WAYS);
	off_t at = PLACES * PLACE + (off_t)set * (off_t)sizeof way;

	if (file_pread(s->fd, way, sizeof way, at) < 0)
		memset(way, 0, sizeof way);
	for (unsigned i = 0; i < WAYS; i++) {
		/* Of before the machine was started, or rubbish. */
		if (way[i].when > now || way[i].when < 0 ||
		    way[i].count < 0 || way[i].count > COUNT_MAX)
			way[i] = (struct guess){ 0 };
		if (memcmp(way[i].address, s->address, PLACE) == 0) {
			best = i;
			break;
		}
		if (way[i].when < way[best].when)
			best = i;
	}
	*g = way[best];
	if (memcmp(g->address, s->address, PLACE) != 0)
		*g = (struct guess){ 0 };
	memcpy(g->address, s->address, PLACE);
	g->count -= (now - g->when) / FORGET_MS;
	if (g->count < 0)
		g->count = 0;
	g->when = now;
	return at + (off_t)(best * sizeof *g);
}

int64_t
strangers_wait(const struct strangers *s, const struct control *c)
{
	int64_t ms = (int64_t)control_num(c, "auth-delay", WAIT_MS, 0, 60000);
	struct guess g;

	if (s->fd < 0)
		return 0;
	find(s, &g);
	if (g.count < FREE)
		return 0;
	for (int64_t i = FREE; i < g.count && ms < WAIT_MAX_MS; i++)
		ms *= 2;
	return ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS;
}

void
strangers_failed(const struct strangers *s)
{
	struct guess g;

	if (s->fd < 0)
		return;
	off_t at = find(s, &g);

	if (g.count < COUNT_MAX)
		g.count++;
	if (pwrite(s->fd, &g, sizeof g, at) != sizeof g)
		log_warn("strangers: %s", strerror(errno));
}

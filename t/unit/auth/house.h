/* SPDX-License-Identifier: ISC */
/* A control directory of a test's own, with accounts; removed at the end. */
#ifndef HOUSE_H
#define HOUSE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/account.h"
#include "auth/verifier.h"
#include "base/file.h"

#include "../../t.h"

static char house_dir[] = "/tmp/lemon-auth.XXXXXX";
static struct control house = { .dir = house_dir };
static unsigned house_rounds = SCRAM_ROUNDS;

static inline int
house_unlink(const char *path, const struct stat *st, int kind,
    struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static inline void
house_done(void)
{
	nftw(house_dir, house_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

/* Append to DIR/name, and make it if it is not there. */
static inline void
house_add(const char *name, struct span text)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s", house_dir, name);
	int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || file_write(fd, text) < 0) {
		perror(buf_cstr(&path));
		exit(1);
	}
	close(fd);
	buf_free(&path);
}

static inline void
house_remove(const char *name)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s", house_dir, name);
	remove(buf_cstr(&path));
	buf_free(&path);
}

static inline void
house_mkdir(const char *name)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s", house_dir, name);
	if (mkdir(buf_cstr(&path), 0700) < 0) {
		perror(buf_cstr(&path));
		exit(1);
	}
	buf_free(&path);
}

/* Verifiers of a password; the bit 1 << hash says which ones. */
static inline void
house_password(const char *user, const char *label, const char *scope,
    const char *expiry, const char *password, unsigned which)
{
	struct buf text = { 0 }, file = { 0 };

	for (enum scram_hash h = 0; h < SCRAM_HASHES; h++) {
		struct verifier v = { span_str(label), span_str(scope),
		    span_str(expiry), { .hash = h, .rounds = house_rounds,
		    .nsalt = SCRAM_SALT } };

		if (!(which & 1u << h))
			continue;
		random_fill(v.scram.salt, SCRAM_SALT);
		scram_make(&v.scram, span_str(password));
		verifier_print(&v, &text);
	}
	buf_addf(&file, "users/%s/verifier", user);
	house_add(buf_cstr(&file), buf_span(&text));
	buf_free(&text);
	buf_free(&file);
}

static inline void
house_user(const char *user, const char *addresses)
{
	struct buf b = { 0 };

	buf_addf(&b, "users/%s", user);
	house_mkdir(buf_cstr(&b));
	buf_adds(&b, "/addresses");
	if (addresses != NULL)
		house_add(buf_cstr(&b), span_str(addresses));
	buf_clear(&b);
	buf_addf(&b, "homes/%s", user);
	house_mkdir(buf_cstr(&b));
	buf_free(&b);
}

/* alice and bob of example.org and example.net, with the passwords below,
 * and app passwords of alice's. */
static inline void
house_make(void)
{
	if (mkdtemp(house_dir) == NULL) {
		perror(house_dir);
		exit(1);
	}
	atexit(house_done);
	house_mkdir("users");
	house_mkdir("homes");
	house_mkdir("users/.unknown");
	house_password(".unknown", "-", "", "", "nobody knows it", 3);
	house_add("locals", SPAN("example.org\nExample.NET\n"));
	house_add("home", SPAN("homes/%u\n"));
	house_user("alice", "alice@example.org\nAlice.L@example.com\n");
	house_user("bob", "# bob\nsales+eu@example.org\nsales@example.org\n");
	house_password("alice", "-", "", "", "Secret of alice", 3);
	house_password("bob", "-", "", "", "p\303\251rdu", 3);
	house_password("alice", "phone", "imap", "", "phone secret", 3);
	house_password("alice", "old", "imap", "2020-02-29", "old secret", 3);
}

#endif

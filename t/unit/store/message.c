/* SPDX-License-Identifier: ISC */
/* lib/store/message.c and lib/store/draft.c: what goes in comes out. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "store/filename.h"

/* All of a message, in pieces. */
static void
read_whole(struct message *m, size_t piece, struct buf *b)
{
	ssize_t n;

	buf_clear(b);
	while ((n = message_read(m, b->n, buf_room(b, piece), piece)) > 0)
		b->n += (size_t)n;
	if (n < 0)
		buf_addf(b, " FAILED %d", errno);
}

/* The one file of a directory; its name is added to *file. */
static int
only_file(const char *sub, struct buf *file)
{
	char path[64];
	struct dirent *e;
	int fd = -1;
	DIR *d;

	snprintf(path, sizeof(path), "M/%s", sub);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		buf_clear(file);
		buf_adds(file, e->d_name);
		if (fd >= 0)
			close(fd);
		fd = openat(dirfd(d), e->d_name, O_RDWR);
	}
	if (d != NULL)
		closedir(d);
	return fd;
}

static const char text[] =
    "From: a@example.org\r\nSubject: hello\r\n\r\nOne\r\nTwo\r\nThree";

static void
one(struct store *st)
{
	struct mailbox *mb = t_inbox(st);
	struct buf b = { 0 }, file = { 0 };
	struct message *m;
	struct view *v;
	uint64_t size, wire;
	int fd;

	ok(t_append(mb, text, 0, NULL) == 1 && view_open(mb, &v) == STORE_OK,
	    "a message is put in");
	fd = only_file("cur", &file);
	(void)file_read_fd(fd, 100000, &b);
	close(fd);
	is(buf_span(&b), SPAN("From: a@example.org\nSubject: hello\n\n"
	    "One\nTwo\nThree"), "on disk its lines end as Unix has it");
	ok(filename_size(buf_span(&file), &size) && size == b.n &&
	    filename_wire(buf_span(&file), &wire) &&
	    wire == sizeof(text) - 1, "its name tells both sizes");
	ok(message_open(v, 1, &m) == STORE_OK, "it opens");
	for (size_t piece = 1; piece < 80; piece += 13) {
		read_whole(m, piece, &b);
		is(buf_span(&b), SPAN(text), "and reads as it came");
	}
	ok(message_digest(m)->wire_size == sizeof(text) - 1,
	    "with its digest");
	buf_clear(&b);
	b.n = (size_t)message_read(m, 43, buf_room(&b, 100), 5);
	is(span_head(buf_span(&b), 5), span_skip(span_head(SPAN(text), 48),
	    43), "from the middle");
	ok(message_read(m, 1000, buf_room(&b, 10), 10) == 0 &&
	    message_read(m, sizeof(text) - 1, buf_room(&b, 10), 10) == 0,
	    "and nothing beyond its end");

	/* Another program renames it while we know the old name. */
	buf_clear(&b);
	buf_adds(&b, "M/cur/");
	buf_add(&b, filename_base(buf_span(&file)));
	buf_adds(&b, ":2,FRS");
	message_close(m);
	{
		struct buf old = { 0 };

		buf_adds(&old, "M/cur/");
		buf_add(&old, buf_span(&file));
		ok(rename(buf_cstr(&old), buf_cstr(&b)) == 0,
		    "another program renames it");
		buf_free(&old);
	}
	ok(message_open(v, 1, &m) == STORE_OK, "it is found again");
	ok(unlink(buf_cstr(&b)) == 0, "another program removes it");
	read_whole(m, 7, &b);
	is(buf_span(&b), SPAN(text), "what is open stays readable");
	message_close(m);
	ok(message_open(v, 1, &m) == STORE_EXPUNGED && m == NULL &&
	    message_open(v, 2, &m) == STORE_EXPUNGED && m == NULL,
	    "what is gone does not open");
	view_close(v);
	mailbox_close(mb);
	buf_free(&b);
	buf_free(&file);
}

/* Files that came without us, and files that others change in place. */
static void
foreign(struct store *st)
{
	static const char mixed[] = "Subject: x\n\nLF\nCRLF\r\nend";
	static const char shown[] =
	    "Subject: x\r\n\r\nLF\r\nCRLF\r\nend";
	struct mailbox *mb = t_inbox(st);
	struct buf b = { 0 };
	struct message *m;
	struct view *v;
	int fd;

	ok(file_replace(AT_FDCWD, "M/new/1.foreign", SPAN(mixed), 0600) == 0,
	    "another program delivers");
	ok(view_open(mb, &v) == STORE_OK && view_uid(v, view_exists(v)) == 2,
	    "which is noticed");
	ok(message_open(v, view_uid(v, view_exists(v)), &m) == STORE_OK, "it opens");
	read_whole(m, 3, &b);
	is(buf_span(&b), SPAN(shown), "each line ends with CRLF, once");
	message_close(m);

	fd = open("M/new/1.foreign", O_WRONLY | O_APPEND);
	ok(write(fd, "more\n", 5) == 5, "it is changed in place");
	close(fd);
	ok(message_open(v, view_uid(v, view_exists(v)), &m) == STORE_OK,
	    "it still opens");
	ok(message_digest(m)->wire_size == sizeof(shown) - 1 + 6,
	    "with a digest of what is there now");
	ok(truncate("M/new/1.foreign", 10) == 0 &&
	    message_read(m, 0, buf_room(&b, 100), 100) == -1 && errno == EIO,
	    "one cut short while open is an error, and no crash");
	message_close(m);
	ok(unlink("M/new/1.foreign") == 0 &&
	    symlink("/etc/passwd", "M/new/1.foreign") == 0 &&
	    message_open(v, view_uid(v, view_exists(v)), &m) != STORE_OK,
	    "no link is followed");
	(void)unlink("M/new/1.foreign");
	view_close(v);
	mailbox_close(mb);
	buf_free(&b);
}

/* Drafts that come to nothing leave nothing. */
static void
drafts(struct store *st)
{
	struct rlimit no = { 20000, 20000 }, was;
	struct draft_info info = { .internaldate = 1234567890 };
	struct mailbox *mb = t_inbox(st);
	enum store_result r = STORE_OK;
	struct buf file = { 0 };
	struct draft *d;
	uint64_t wire;
	struct stat s;
	int fd;

	ok(draft_open(mb, &info, &d) == STORE_OK &&
	    draft_write(d, SPAN("Subject: x\r\n")) == STORE_OK &&
	    draft_finish(d, &wire) == STORE_OK && wire == 12, "a draft");
	fd = only_file("tmp", &file);
	ok(fd >= 0 && fstat(fd, &s) == 0 && s.st_mtime == 1234567890 &&
	    s.st_size == 11, "is a file in tmp, with its date");
	close(fd);
	draft_free(d);
	ok(only_file("tmp", &file) == -1, "and gone when freed");

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	no.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_FSIZE, &no);
	ok(draft_open(mb, &info, &d) == STORE_OK, "a draft too big");
	for (int i = 0; i < 20000; i++)
		r = draft_write(d, SPAN("line\r\n"));
	ok(r == STORE_LIMIT && draft_finish(d, &wire) == STORE_LIMIT,
	    "is refused");
	ok(only_file("tmp", &file) == -1,
	    "and gives its space back at once");
	draft_free(d);
	setrlimit(RLIMIT_FSIZE, &was);
	mailbox_close(mb);
	buf_free(&file);
}

static void
binary(struct store *st)
{
	static const char in[] = "Content-Type: application/octet-stream\r\n"
	    "Content-Transfer-Encoding: binary\r\n\r\n\0\r\n\n";
	static const char out[] = "Content-Type: application/octet-stream\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nAA0KCg==\r\n";
	struct draft_info info = { .internaldate = INT64_MIN };
	struct mailbox *mb = t_inbox(st);
	uint32_t uid = 0, validity;
	struct buf b = { 0 };
	struct message *m;
	struct draft *d;
	struct view *v;
	uint64_t wire;

	ok(draft_open(mb, &info, &d) == STORE_OK &&
	    draft_write(d, SPAN(in)) == STORE_OK &&
	    draft_finish(d, &wire) == STORE_OK && wire == sizeof(out) - 1 &&
	    mailbox_place(mb, &d, 1, false, &uid, &validity) == STORE_OK,
	    "a binary message is put in");
	draft_free(d);
	ok(view_open(mb, &v) == STORE_OK &&
	    message_open(v, uid, &m) == STORE_OK, "and opens");
	read_whole(m, 1000, &b);
	is(buf_span(&b), SPAN(out), "as base64");
	message_close(m);
	view_close(v);
	mailbox_close(mb);
	buf_free(&b);
}

/* While view_each shows the last message, happened befalls its file. */
struct shown {
	struct view *v;
	enum { NOTHING, RENAMED, ANOTHER, REMOVED } happened;
	enum store_result r;
	struct buf text;
};

static bool
show(void *arg, uint32_t seq, const struct msg *msg, struct span raw)
{
	struct shown *c = arg;
	struct digest d;
	struct message *m;
	char path[300], other[300];

	if (seq < view_exists(c->v))
		return true;
	snprintf(path, sizeof path, "M/%s/%s", msg->dir == NEW ? "new" :
	    "cur", msg->file);
	snprintf(other, sizeof other, "M/cur/%.*s:2,T", (int)span_chr(
	    span_str(msg->file), ':'), msg->file);
	c->r = STORE_ERROR;
	if (!digest_open(raw, &d) ||
	    (c->happened == RENAMED && rename(path, other) != 0) ||
	    (c->happened == ANOTHER && (unlink(path) != 0 ||
	    file_replace(AT_FDCWD, path, SPAN("A: b\n"), 0600) != 0)) ||
	    (c->happened == REMOVED && unlink(path) != 0))
		return false;
	c->r = message_shown(c->v, msg, &d, &m);
	if (c->r == STORE_OK)
		read_whole(m, 10, &c->text);
	message_close(m);
	return true;
}

static void
shown(struct store *st)
{
	static const struct {
		const char *text, *name;
		enum store_result r;
	} want[] = {
		{ text, "what is shown opens", STORE_OK },
		{ text, "also when it was renamed just now", STORE_OK },
		{ "A: b\r\n", "and when its file is another", STORE_OK },
		{ "", "and not when it is gone", STORE_EXPUNGED }
	};
	struct mailbox *mb = t_inbox(st);
	struct shown c = { 0 };

	ok(t_append(mb, text, 0, NULL) > 0 && view_open(mb, &c.v) == STORE_OK,
	    "one more message");
	for (unsigned i = 0; i < COUNT(want); i++) {
		buf_clear(&c.text);
		c.happened = i;
		ok(view_each(c.v, NULL, NEED_DIGEST | NEED_FILE, show,
		    &c) == STORE_OK && c.r == want[i].r &&
		    span_eq(buf_span(&c.text), span_str(want[i].text)),
		    want[i].name);
	}
	view_close(c.v);
	mailbox_close(mb);
	buf_free(&c.text);
}

int
main(void)
{
	struct store *st;

	t_make_dir();
	st = t_store();
	drafts(st);
	one(st);
	foreign(st);
	binary(st);
	shown(st);
	store_close(st);
	t_remove_dir();
	return done();
}

/* SPDX-License-Identifier: ISC */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <sys/stat.h>

#include "base/arena.h"
#include "store/draft.h"

/* What the files of lib/store share with each other, and nobody else sees. */

struct index;			/* index.h */

struct store {
	int dir;		/* the Maildir */
	char *path;		/* its path, for messages only */
	char *index_path;	/* where index/ and bell/ are */
	int index_dir;		/* the same as a descriptor */
	int64_t rescan;		/* seconds */
	bool look;		/* change nothing */
	struct index *ix;
	struct folders *folders;	/* folders.c's own: what it last read */
	struct urlkeys *urlkeys;	/* urlkey.c's own */
	unsigned made;		/* file names made (filename_new) */
	uint64_t intent;	/* intent.c's own: the one on its way, or 0 */
	int witness, watch;	/* witness.c's own */
	struct buf why;		/* NUL-terminated, see store_fail */
};

/* Note why, "what: strerror(err)" (err 0: only what), and give the result
 * that the errno stands for: ENOSPC and EDQUOT STORE_FULL, ENOENT
 * STORE_NONEXISTENT, EEXIST STORE_EXISTS, EACCES, EPERM and EROFS
 * STORE_DENIED, EMFILE, ENFILE and ENOMEM STORE_LIMIT, else STORE_ERROR. */
enum store_result store_fail(struct store *st, const char *what, int err);

struct mailbox {
	struct store *st;
	unsigned rights;
	char *disk;		/* its directory below st->dir: "." is INBOX,
				   others ".Lists.C" */
	int dir;		/* that directory; always open */
	int sub[3];		/* cur, new, tmp; -1: not opened yet */
	dev_t dev;		/* of that directory */
	ino_t ino;
	uint64_t generation;	/* of the index in which id holds; 0: none */
	uint32_t id;
	int list;		/* lemon-uidlist, or -1 */
	struct names *names;	/* keyword names (keyword.h) */
	struct owed *owed;	/* what mailbox_place left to commit */
};

/* The same as "PATH: what: …", with the path of the mailbox's directory. */
enum store_result mailbox_fail(struct mailbox *mb, const char *what, int err);

enum { CUR, NEW, TMP };

/* The descriptor of cur, new or tmp (made if it is not there), or -1 with
 * errno. */
int mailbox_sub(struct mailbox *mb, int which);

/* --- the tree (folders.c) --- */

/* Release st->folders (NULL is fine); store_close calls it. */
void folders_free(struct folders *f);

/* The directory name below the Maildir of a mailbox name, NUL-terminated:
 * "." for INBOX.  STORE_CANNOT if it can be none (also "INBOX\0x").  Says
 * nothing about whether it exists. */
enum store_result folder_disk(struct store *st, struct span name,
    struct buf *disk);

/* Tell the index that a folder's directory was renamed or removed; call it
 * just after the rename (of a folder to be removed too: its name is free
 * before its files are unlinked).  Both ring the bell.  Without these calls
 * nothing breaks: device and inode of the directory tell it later. */
enum store_result folder_moved(struct store *st, const char *from,
    const char *to);
enum store_result folder_gone(struct store *st, const char *disk);

/* --- a message on its way in (draft.c fills it, place.c places it) --- */

struct draft {
	struct mailbox *mb;
	struct arena mem;	/* what info's keywords are copied to */
	struct draft_info info;
	int fd;			/* the tmp file, or -1 */
	char tmp[256];		/* its name in tmp/, "" if there is none */
	uint64_t size, wire;	/* octets of the file, and on the wire */
	uint64_t inode;		/* of the file, when finished */
	struct buf digest;	/* empty: it will be made when needed */
	enum store_result failed;
	bool finished;		/* fsynced, sizes and digest known; its mtime
				   is the internal date */
	struct writer *writer;	/* draft.c's own */
};

/*
 * Open a file of an own name with O_EXCL in tmp/ for writing.  name gets it.
 * Draft, COPY over file systems and the like use it.
 */
int tmp_open(struct mailbox *mb, char name[256]);

/* --- digests (draft.c) --- */

/* Read the whole message from fd and make its digest.  file is its name: one
 * with S equal to W and to the size is octet for octet what the wire has.
 * -1 with errno. */
int digest_make(int fd, struct span file, struct buf *digest);

/* The same for many files, with one parser: begins as { 0 }. */
struct digester {
	struct mime_parser *parser;
	char *piece;
};
int digester_read(struct digester *g, int fd, struct span file,
    struct buf *digest);
void digester_free(struct digester *g);

/* The digest's sizes without checking the rest of it; false if it is none
 * of this version. */
bool digest_sizes(struct span digest, uint64_t *file, uint64_t *wire);

/* --- what message.c asks --- */

struct mailbox *view_mailbox(struct view *v);	/* the view is of it */

/* Open the file of a message of the view wherever it is now: it looks again
 * when another program has renamed it.  STORE_EXPUNGED if it is gone.
 * *object is its content; its present name is added to *file. */
enum store_result view_file(struct view *v, uint32_t uid, int *fd,
    uint64_t *object, struct buf *file);

/* The file of that name in cur/ or new/, or -1 with errno.  One that is no
 * regular file cannot be read, and does not block. */
int message_openat(int dir, const char *name);

/* Open the file of a message that view_each shows, as it told it: -1 unless
 * it is there, and the one that the record is of.  *s is what it is. */
int view_shown(struct view *v, const struct msg *m, struct stat *s);

/* The digest of an object, copied to *digest: false if there is none.
 * object_learn keeps one that was made now (best effort). */
bool object_digest(struct store *st, uint64_t object, struct buf *digest);
void object_learn(struct view *v, uint32_t uid, uint64_t object,
    struct span digest);

/* --- what another server left in a folder (import.c) --- */

struct import_msg {
	uint32_t uid;		/* 0: only keywords are known */
	struct span base;	/* file name up to, without, ":2," */
	const struct span *keyword;
	size_t keywords;
};

struct import {
	struct arena mem;	/* holds all of it */
	uint32_t uidvalidity;	/* 0: unknown, all else but keywords too */
	uint32_t uidnext;	/* above every UID ever used there */
	bool has_guid;
	uint8_t guid[16];
	struct import_msg *msg;	/* UIDs ascend; each base once */
	size_t n;
	struct span letter[26];	/* keywords of a-z in the file names' info;
				   empty: none */
	int err;		/* errno where something is there but could not
				   be read now; it may be another time */
};

/* Read dovecot-uidlist, dovecot-keywords, courierimapuiddb and
 * courierimapkeywords of the folder.  False if there is none of them.  What
 * was read is only of use if im->err is 0.  The caller frees im->mem. */
bool import_folder(int dir, struct import *im);

/* Whether there is any of these files; whether all was taken over from them,
 * so that they count for no numbers any more; and note that, durably: 0, or -1
 * with errno. */
bool import_there(int dir);
bool import_over(int dir);
int import_end(int dir);

/* The name of a list of UIDs that is there and whose header cannot be read, so
 * that nothing of it counts; NULL: none is. */
const char *import_unread(int dir);

#endif

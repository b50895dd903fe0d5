/* SPDX-License-Identifier: ISC */
/* What lib/store/import.c reads of other servers' files.  The whole trees
 * that those servers made are tried by peers.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"

#include "../../t.h"

/* As Dovecot 2.3.19 wrote it, and worse. */
static const char dovecot[] =
    "3 V1795329693 N8 Ge1feab389b8e026b6232000083ecc375\n"
    "1 :1795329692.M6815P12898.vm,S=135,W=142\n"
    "3 W142 S135 :1795329692.M13528P12898.vm,S=135,W=142:2,S\n"
    "2 :too.late\n"
    "x :no.number\n"
    "4294967295 :too.big\n"
    "4 no colon\n"
    "5 :\n"
    "9 :1795329692.M6815P12898.vm,S=135,W=142\n"
    "10 :name with blanks\n"
    "11 :torn";

static const char keywords[] = "0 $Forwarded\n1 work\n3 todo\n26 much\n"
    "4 bad word\n5 a\"b\n";

/* As Courier 5.0.13 did. */
static const char courier[] = "1 795329710 8\n"
    "1 1795329710.M67293P13199_0.vm,S=135\n"
    "3 1795329710.M70882P13199_2.vm,S=135\n"
    "4 1795329710.M73717P13199_3.vm,S=135\n"
    "7 1795329710.M81688P13199_6.vm,S=135\n";

static const char list[] = "work\ntodo\n$Forwarded\nlater\n\n"
    "1795329710.M70882P13199_2.vm,S=135:2\n"
    "1795329710.M73717P13199_3.vm,S=135:1 0\n"
    "1795329710.M81688P13199_6.vm,S=135:2 3 0 9 x\n"
    "gone.vm:0\n";

static void
put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || file_write(fd, span_str(text)) != 0)
		ok(false, name);
	close(fd);
}

/* "uid base keyword…" of each, one a line. */
static struct span
shown(const struct import *im, struct buf *b)
{
	buf_clear(b);
	for (size_t i = 0; i < im->n; i++) {
		buf_addf(b, "%u ", im->msg[i].uid);
		buf_add(b, im->msg[i].base);
		for (size_t k = 0; k < im->msg[i].keywords; k++) {
			buf_addc(b, ' ');
			buf_add(b, im->msg[i].keyword[k]);
		}
		buf_addc(b, '\n');
	}
	return buf_span(b);
}

static void
unreadable(int dir)
{
	struct rlimit files, none;
	struct import im;

	getrlimit(RLIMIT_NOFILE, &files);
	none = (struct rlimit){ 0, files.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	(void)import_folder(dir, &im);
	setrlimit(RLIMIT_NOFILE, &files);
	ok(im.err == EMFILE, "a list that cannot be read now is not missing");
	arena_free(&im.mem);
}

static void
of_dovecot(int dir, struct buf *b)
{
	struct import im;

	put(dir, "dovecot-uidlist", dovecot);
	put(dir, "dovecot-keywords", keywords);
	ok(import_folder(dir, &im), "a folder of Dovecot is known");
	ok(im.uidvalidity == 1795329693 && im.uidnext == 12,
	    "with its UIDVALIDITY, and UIDNEXT above every UID");
	ok(im.has_guid && im.guid[0] == 0xe1 && im.guid[15] == 0x75,
	    "with its GUID");
	is(shown(&im, b), SPAN("3 1795329692.M13528P12898.vm,S=135,W=142\n"
	    "9 1795329692.M6815P12898.vm,S=135,W=142\n"
	    "10 name with blanks\n11 torn\n"),
	    "with its UIDs; damaged lines are left out");
	ok(span_eq(im.letter[0], SPAN("$Forwarded")) &&
	    span_eq(im.letter[3], SPAN("todo")) && im.letter[2].n == 0 &&
	    im.letter[4].n == 0 && im.letter[5].n == 0,
	    "with the keywords behind its letters");
	arena_free(&im.mem);

	put(dir, "dovecot-uidlist", "1 77 5\n4 old.style,S=3\n");
	ok(import_folder(dir, &im) && im.uidvalidity == 77 &&
	    im.uidnext == 5 && !im.has_guid, "the first version is known too");
	is(shown(&im, b), SPAN("4 old.style,S=3\n"), "with its UIDs");
	arena_free(&im.mem);

	unreadable(dir);

	put(dir, "dovecot-uidlist", "2 what is this\n1 :x\n");
	ok(import_folder(dir, &im) && im.uidvalidity == 0 && im.n == 0,
	    "of a damaged list nothing is believed");
	arena_free(&im.mem);
	unlinkat(dir, "dovecot-uidlist", 0);
	unlinkat(dir, "dovecot-keywords", 0);
}

static void
of_courier(int dir, struct buf *b)
{
	struct import im;
	int kw;

	put(dir, "courierimapuiddb", courier);
	mkdirat(dir, "courierimapkeywords", 0700);
	kw = openat(dir, "courierimapkeywords", O_RDONLY | O_DIRECTORY);
	put(kw, ":list", list);
	put(kw, ".5984433.1795329710.M67293P13199_0.vm,S=135", "old\n");
	put(kw, "1795329710.M73717P13199_3.vm,S=135", "changed\n\n");
	ok(symlinkat("/etc/passwd", kw, "1795329710.M67293P13199_0.vm,S=135")
	    == 0, "a link is put there");
	{
		struct timespec t[2] = { { 1000, 0 }, { 1000, 0 } };

		utimensat(kw, ".5984433.1795329710.M67293P13199_0.vm,S=135",
		    t, 0);
	}
	ok(import_folder(dir, &im), "a folder of Courier is known");
	ok(im.uidvalidity == 795329710 && im.uidnext == 8 && !im.has_guid,
	    "with its UIDVALIDITY and UIDNEXT");
	is(shown(&im, b), SPAN("0 gone.vm work\n"
	    "1 1795329710.M67293P13199_0.vm,S=135\n"
	    "3 1795329710.M70882P13199_2.vm,S=135 $Forwarded\n"
	    "4 1795329710.M73717P13199_3.vm,S=135 changed\n"
	    "7 1795329710.M81688P13199_6.vm,S=135 $Forwarded later work\n"),
	    "with its UIDs and keywords, no link followed");
	arena_free(&im.mem);
	close(kw);
}

int
main(void)
{
	char path[] = "/tmp/lemon-import.XXXXXX";
	struct buf b = { 0 };
	struct import im;
	int dir;

	if (mkdtemp(path) == NULL)
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	ok(!import_folder(dir, &im), "an empty folder has nothing to import");
	arena_free(&im.mem);
	of_dovecot(dir, &b);
	of_courier(dir, &b);
	buf_free(&b);
	close(dir);
	if (fork() == 0)
		execlp("rm", "rm", "-r", path, (char *)NULL);
	buf_free(&b);
	return done();
}

/* SPDX-License-Identifier: ISC */
#include "auth/account.h"

#include "house.h"

static void
names(void)
{
	static const struct {
		bool good;
		const char *name;
	} row[] = {
		{ true, "a" }, { true, "0" }, { true, "alice.b-c_d9" },
		{ true, "abcdefghijabcdefghijabcdefghijabcdefghij"
		    "abcdefghijabcdefghijabcd" },
		{ false, "abcdefghijabcdefghijabcdefghijabcdefghij"
		    "abcdefghijabcdefghijabcde" },
		{ false, "" }, { false, "." }, { false, ".." },
		{ false, "-a" }, { false, "_a" }, { false, "Alice" },
		{ false, "a b" }, { false, "a/b" }, { false, "a+b" },
		{ false, "a@b" }, { false, "a\n" }, { false, "\xc3\xa9" },
	};

	for (size_t i = 0; i < COUNT(row); i++)
		ok(account_legal(span_str(row[i].name)) == row[i].good,
		    row[i].name);
	ok(!account_legal((struct span){ "a\0b", 3 }), "no NUL in a name");
}

static void
logins(void)
{
	static const struct {
		const char *login, *name, *label;
	} row[] = {
		{ "alice", "alice", "-" },
		{ "ALICE", "alice", "-" },
		{ "alice@example.org", "alice", "-" },
		{ "alice@EXAMPLE.net", "alice", "-" },
		{ "alice+phone", "alice", "phone" },
		{ "alice+phone@example.org", "alice", "phone" },
		{ "alice+nothing", "alice", "nothing" },
		{ "alice@example.com", NULL, NULL },
		{ "alice@", NULL, NULL },
		{ "alice+", NULL, NULL },
		{ "alice++", NULL, NULL },
		{ "alice+a+b", NULL, NULL },
		{ "alice+../x", NULL, NULL },
		{ "+phone", NULL, NULL },
		{ "", NULL, NULL },
		{ "@example.org", NULL, NULL },
		{ "carol", NULL, NULL },
		{ "sales@example.org", NULL, NULL },
		{ ".unknown", NULL, NULL },
		{ "../users/alice", NULL, NULL },
		{ "alice/", NULL, NULL },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a;
		int r = account_find(&house, span_str(row[i].login), &a);

		if (row[i].name == NULL)
			ok(r == 0, row[i].login);
		else
			ok(r == 1 && strcmp(a.name, row[i].name) == 0 &&
			    strcmp(a.label, row[i].label) == 0 &&
			    span_ends(buf_span(&a.home),
			    SPAN("/homes/alice")), row[i].login);
		account_free(&a);
	}
}

static void
owners(void)
{
	static const struct {
		const char *address, *name, *detail;
	} row[] = {
		{ "alice@example.org", "alice", "" },
		{ "Alice@Example.Net", "alice", "" },
		{ "alice", "alice", "" },
		{ "alice.l@example.com", "alice", "" },
		{ "ALICE.L+x@example.COM", "alice", "x" },
		{ "alice+lists@example.org", "alice", "lists" },
		{ "alice+Lists+more@example.org", "alice", "Lists+more" },
		{ "alice+lists", "alice", "lists" },
		{ "alice+@example.org", "alice", "" },
		{ "sales@example.org", "bob", "" },
		{ "sales+us@example.org", "bob", "us" },
		{ "sales+eu@example.org", "bob", "" },
		{ "sales@example.net", NULL, "" },
		{ "alice@example.com", NULL, "" },
		{ "alice@", NULL, "" },
		{ "+alice@example.org", NULL, "" },
		{ "@example.org", NULL, "" },
		{ "# bob", NULL, "" },
		{ "", NULL, "" },
		{ "carol+x@example.org", NULL, "" },
		{ "both@example.com", "alice", "" },
		{ "alice+team@example.org", "alice", "team" },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a;
		struct span detail;
		int r = account_of_address(&house, span_str(row[i].address),
		    &a, &detail);

		ok(row[i].name == NULL ? r == 0 : r == 1 &&
		    strcmp(a.name, row[i].name) == 0, row[i].address);
		is(detail, span_str(row[i].detail), row[i].address);
		account_free(&a);
	}
}

/* What the control file "postmaster" says, and who gets the mail then. */
static void
postmasters(void)
{
	static const struct {
		const char *file, *address, *name;
		int r;
	} row[] = {
		{ NULL, "postmaster", "alice", 1 },
		{ NULL, "PostMaster@example.org", "alice", 1 },
		{ NULL, "postmaster+x@example.net", "alice", 1 },
		{ NULL, "postmaster@example.com", NULL, 0 },
		{ NULL, "postmasters@example.org", NULL, 0 },
		{ "bob\n", "postmaster", "bob", 1 },
		{ "bob\n", "postmaster@example.org", "bob", 1 },
		{ "nobody\n", "postmaster", NULL, -1 },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a, bob;
		struct span detail, to = span_str(row[i].address);

		house_remove("postmaster");
		if (row[i].file != NULL)
			house_add("postmaster", span_str(row[i].file));
		ok(account_of_address(&house, to, &a, &detail) == row[i].r &&
		    (row[i].r < 1 || strcmp(a.name, row[i].name) == 0),
		    row[i].address);
		ok(account_find(&house, SPAN("bob"), &bob) == 1 &&
		    account_owns(&house, &bob, to) == (row[i].r == 1 &&
		    strcmp(row[i].name, "bob") == 0),
		    "and that one may send as it");
		account_free(&a);
		account_free(&bob);
	}
	house_remove("postmaster");
}

static void
senders(void)
{
	static const struct {
		bool good;
		const char *name, *address;
	} row[] = {
		{ true, "alice", "alice@example.org" },
		{ true, "alice", "alice@EXAMPLE.NET" },
		{ true, "alice", "alice+any@example.org" },
		{ true, "alice", "Alice.L@example.com" },
		{ true, "alice", "alice.l+x@example.com" },
		{ true, "alice", "alice" },
		{ true, "bob", "sales+eu@example.org" },
		{ true, "bob", "sales+us@example.org" },
		{ false, "alice", "bob@example.org" },
		{ false, "alice", "sales@example.org" },
		{ false, "alice", "alice@example.com" },
		{ false, "alice", "xalice@example.org" },
		{ false, "alice", "alice@sub.example.org" },
		{ false, "alice", "" },
		{ false, "alice", "alice@" },
		{ false, "bob", "alice+bob@example.org" },
		{ true, "alice", "alice+team@example.org" },
		{ false, "alice", "sales+eu@example.org" },
	};

	for (size_t i = 0; i < COUNT(row); i++) {
		struct account a;
		bool found = account_find(&house, span_str(row[i].name),
		    &a) == 1;

		ok(found && account_owns(&house, &a,
		    span_str(row[i].address)) == row[i].good,
		    row[i].address);
		account_free(&a);
	}
}

static void
homes(void)
{
	struct account a;
	struct buf b = { 0 };

	house_add("users/bob/home", SPAN("homes/%u-x-%u\n"));
	house_mkdir("homes/bob-x-bob");
	ok(account_find(&house, SPAN("bob"), &a) == 1 &&
	    span_ends(buf_span(&a.home), SPAN("/homes/bob-x-bob")),
	    "a user's own setting wins, and %u may come twice");
	if (geteuid() == 0)
		ok(a.uid == 0, "root becomes the owner of the home");
	else
		ok(a.uid == (uid_t)-1, "anybody else stays");
	account_free(&a);
	buf_addf(&b, "%s/homes/bob-x-bob", house_dir);
	rmdir(buf_cstr(&b));
	int r = account_find(&house, SPAN("bob"), &a);

	ok(r == (geteuid() == 0 ? -1 : 1),
	    "as root an account without its home has to wait");
	account_free(&a);
	house_remove("users/bob/home");
	house_add("users/bob/home", SPAN("\n"));
	ok(account_find(&house, SPAN("bob"), &a) != 1 ||
	    span_ends(buf_span(&a.home), SPAN("/../users/bob")),
	    "an empty setting is none, and not the control directory");
	account_free(&a);
	buf_free(&b);

	static const struct control system = {
		.dir = "/etc/lemon-is-not-here" };

	memcpy(a.name, "bob", sizeof "bob");
	ok(account_settle(&system, &a) == -1 && a.home.n == 0,
	    "below /etc the setting is needed");
	account_free(&a);
}

int
main(void)
{
	house_make();
	house_add("users/bob/addresses",
	    SPAN("both@example.com\nalice+team@example.org\n"));
	house_add("users/alice/addresses", SPAN("BOTH@example.com\n"));
	names();
	logins();
	owners();
	senders();
	postmasters();
	homes();
	return done();
}

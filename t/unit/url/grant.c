/* SPDX-License-Identifier: ISC */
#include "url.h"

#include "auth/hmac.h"
#include "imap/urlauth.h"
#include "store/urlkey.h"

#define ALICE "imap://alice@example.org/INBOX/;UID=1"
#define FOREVER ALICE "/;SECTION=1;URLAUTH=anonymous"
#define LATEST ALICE ";EXPIRE=2001-09-09T01:46:40Z;URLAUTH=anonymous"

static const struct caller anybody;

/* What can be signed.  LATEST is good until T_NOW. */
static void
minting(const struct owner *o)
{
	static const struct {
		const char *rump;
		enum grant want;
		const char *name;
	} t[] = {
		{ FOREVER, GRANT_OK, "a rump is signed" },
		{ LATEST, GRANT_OK, "in the second in which it expires" },
		{ "imap://alice@example.org/INBOX/;UID=1;EXPIRE="
		    "2001-09-09T01:46:39Z;URLAUTH=anonymous", GRANT_EXPIRED,
		    "not in the one after it" },
		{ "imap://alice@example.org/INBOX/;UID=1;EXPIRE="
		    "2001-09-09T03:46:40+02:00;URLAUTH=anonymous", GRANT_OK,
		    "in another time zone it is the same second" },
		{ "imap://alice@example.org/INBOX/;UID=1;EXPIRE="
		    "2001-09-09T03:46:39+02:00;URLAUTH=anonymous",
		    GRANT_EXPIRED, "and the same one after it" },
		{ "imap://alice%40example.org@h/INBOX/;UID=1;"
		    "URLAUTH=authuser", GRANT_OK,
		    "the owner may be written with a domain of ours" },
		{ "imap://alice%40example.net@h/INBOX/;UID=1;"
		    "URLAUTH=authuser", GRANT_ACCESS, "but not with another" },
		{ "imap://alice;AUTH=*@h/inbox/;UID=1;URLAUTH=authuser",
		    GRANT_OK, "and with a way to log in" },
		{ "imap://alice@h/INBOX/;UID=99/;SECTION=7;URLAUTH=authuser",
		    GRANT_OK, "a message need not be there" },
		{ "imap://alice@h/other/;UID=1;URLAUTH=authuser", GRANT_OK,
		    "another mailbox" },
		{ ALICE, GRANT_SYNTAX, "a URL without access is not" },
		{ "imap://example.org/INBOX/;UID=1;URLAUTH=anonymous",
		    GRANT_SYNTAX, "one without an owner" },
		{ "imap://;AUTH=*@example.org/INBOX/;UID=1;URLAUTH=anonymous",
		    GRANT_SYNTAX, "one with a way to log in for an owner" },
		{ "/INBOX/;UID=1;URLAUTH=anonymous", GRANT_SYNTAX,
		    "a relative one" },
		{ "imap://alice@example.org/INBOX", GRANT_SYNTAX,
		    "one of a mailbox" },
		{ FOREVER ":internal:91354a473744909de610943775f92038",
		    GRANT_SYNTAX, "one that has a token" },
		{ "imap://bob@example.org/INBOX/;UID=1;URLAUTH=anonymous",
		    GRANT_ACCESS, "another owner's" },
		{ "imap://Alice@example.org/INBOX/;UID=1;URLAUTH=anonymous",
		    GRANT_ACCESS, "nor one in another case" },
		{ "imap://alice@example.org/none/;UID=1;URLAUTH=anonymous",
		    GRANT_GONE, "one of no mailbox" },
		{ "imap://alice@example.org/../;UID=1;URLAUTH=anonymous",
		    GRANT_GONE, "one of no mailbox's name" },
		{ "imap://alice@example.org/INBOX;UIDVALIDITY=1/;UID=1;"
		    "URLAUTH=anonymous", GRANT_GONE,
		    "one of another UIDVALIDITY" },
	};
	struct buf url = { 0 };

	for (size_t i = 0; i < COUNT(t); i++) {
		enum grant g = t_mint(o, T_NOW, span_str(t[i].rump), &url);

		if (!ok(g == t[i].want, t[i].name))
			printf("# %s\n", grant_text(g));
		if (g == GRANT_OK)
			ok(span_starts(buf_span(&url),
			    span_str(t[i].rump)), "as it was written");
	}
	buf_free(&url);
}

/* row 15: access x caller */
static void
accesses(const struct owner *o)
{
	static const struct caller callers[] = {
		{ { NULL, 0 }, false }, { { NULL, 0 }, true },
		{ SPAN_INIT("alice"), false }, { SPAN_INIT("fred"), false },
		{ SPAN_INIT("fred"), true }, { SPAN_INIT("submitd"), true },
	};
	static const char *const who[] = { "anonymous", "anonymous submitter",
		"alice", "fred", "fred submitter", "submitd submitter" };
	static const struct {
		const char *access, *may;	/* one letter a caller */
	} t[] = {
		{ "submit+fred",		"----yy" },
		{ "submit+alice",		"----yy" },
		{ "user+fred",			"---yy-" },
		{ "user+alice%40example.org",	"--y---" },
		{ "authuser",			"--yyyy" },
		{ "anonymous",			"yyyyyy" },
	};
	struct buf url = { 0 };
	char name[128];

	for (size_t i = 0; i < COUNT(t); i++) {
		snprintf(name, sizeof name, ALICE ";URLAUTH=%s", t[i].access);
		t_mint(o, T_NOW, span_str(name), &url);
		for (size_t j = 0; j < COUNT(callers); j++) {
			enum grant g = t_check(o, T_NOW, buf_span(&url),
			    &callers[j]);
			bool may = t[i].may[j] == 'y';

			snprintf(name, sizeof name, "%s %s read %s", who[j],
			    may ? "may" : "may not", t[i].access);
			ok(g == (may ? GRANT_OK : GRANT_ACCESS), name);
		}
	}
	buf_free(&url);
}

static void
expiry(const struct owner *o)
{
	struct buf url = { 0 };

	t_mint(o, T_NOW, SPAN(LATEST), &url);
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_OK,
	    "a URL is good in the second that EXPIRE names");
	ok(t_check(o, T_NOW + 1, buf_span(&url), &anybody) == GRANT_EXPIRED,
	    "and no longer in the next");
	buf_free(&url);
}

/* --- what is not signed --- */

struct forgery {
	const struct owner *o;
	struct span url;	/* a good one */
	size_t mech, end;	/* where its mechanism is */
	size_t tried, accepted;
};

static void
try(struct forgery *f, struct span url)
{
	static const struct caller all = { SPAN_INIT("alice"), true };

	if (span_eq(url, f->url))
		return;
	f->tried++;
	if (t_check(f->o, T_NOW, url, &all) == GRANT_OK) {
		f->accepted++;
		printf("# accepted: %.*s\n", (int)url.n, url.p);
	}
}

/* RFC 5092 11: the name of a mechanism has no case, and is not signed. */
static bool
is_mech(const struct forgery *f, size_t at)
{
	return at >= f->mech && at < f->end;
}

static void
octets(struct forgery *f)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < f->url.n; i++) {
		struct span before = span_head(f->url, i);
		struct span after = span_skip(f->url, i + 1);
		char c = f->url.p[i];

		for (int bit = 0; bit < 8; bit++) {
			buf_clear(&b);
			buf_add(&b, before);
			buf_addc(&b, (char)(c ^ 1 << bit));
			buf_add(&b, after);
			if (bit != 5 || !is_mech(f, i))
				try(f, buf_span(&b));
		}
		buf_clear(&b);		/* left out */
		buf_add(&b, before);
		buf_add(&b, after);
		try(f, buf_span(&b));
		try(f, before);		/* cut off */
		buf_clear(&b);		/* twice */
		buf_add(&b, before);
		buf_addc(&b, c);
		buf_addc(&b, c);
		buf_add(&b, after);
		try(f, buf_span(&b));
		buf_clear(&b);		/* encoded */
		buf_add(&b, before);
		buf_addf(&b, "%%%02x", (unsigned char)c);
		buf_add(&b, after);
		try(f, buf_span(&b));
	}
	buf_free(&b);
}

/* The URL with another token. */
static void
with(struct forgery *f, struct span token)
{
	struct buf b = { 0 };

	buf_add(&b, span_head(f->url, f->end + 1));
	buf_add(&b, token);
	try(f, buf_span(&b));
	buf_free(&b);
}

static void
keys(struct forgery *f, const unsigned char right[URLKEY],
    const unsigned char other[URLKEY])
{
	struct span rump = span_head(f->url, f->mech - 1);
	unsigned char key[URLKEY];
	struct buf b = { 0 };

	for (size_t bit = 0; bit < 8 * URLKEY; bit++) {
		memcpy(key, right, URLKEY);
		key[bit / 8] ^= (unsigned char)(1 << bit % 8);
		buf_clear(&b);
		urlauth_token(key, rump, &b);
		with(f, buf_span(&b));
	}
	for (int i = 0; i < 256; i++) {
		memset(key, i, URLKEY);
		buf_clear(&b);
		urlauth_token(key, rump, &b);
		with(f, buf_span(&b));
	}
	buf_clear(&b);
	urlauth_token(other, rump, &b);
	with(f, buf_span(&b));
	buf_free(&b);
}

static void
tokens(struct forgery *f, const unsigned char right[URLKEY])
{
	struct span rump = span_head(f->url, f->mech - 1);
	struct span token = span_skip(f->url, f->end + 1);
	struct buf b = { 0 };

	for (size_t i = 0; i <= rump.n; i++) {	/* of less than the rump */
		buf_clear(&b);
		urlauth_token(right, span_head(rump, i), &b);
		if (i < rump.n)
			with(f, buf_span(&b));
	}
	for (int v = 0; v < 256; v++) {		/* of other versions */
		buf_clear(&b);
		buf_addf(&b, "%02x", v);
		buf_add(&b, span_skip(token, 2));
		with(f, buf_span(&b));
	}
	buf_clear(&b);
	for (size_t i = 0; i < token.n; i++)
		buf_addc(&b, ascii_upper(token.p[i]));
	with(f, buf_span(&b));
	buf_clear(&b);
	for (size_t i = 0; i < 300; i++) {	/* of zeros */
		buf_addc(&b, '0');
		with(f, buf_span(&b));
	}
	for (uint64_t i = 0; i < 600; i++) {	/* of nothing known */
		unsigned char noise[33] = { 1 };

		for (size_t j = 1; j < sizeof noise; j++)
			noise[j] = (unsigned char)
			    ((i * 2654435761u + j * 40503u) * j >> 7);
		buf_clear(&b);
		buf_addhex(&b, noise, sizeof noise);
		with(f, buf_span(&b));
	}
	buf_free(&b);
}

static void
forgeries(const struct owner *o)
{
	static const struct span rumps[] = {
		SPAN_INIT(FOREVER), SPAN_INIT(LATEST),
		SPAN_INIT("imap://alice@example.org/other/;uid=2/;section="
		    "1.2.mime/;partial=0.100;expire=2030-01-01T00:00:00.5"
		    "+01:00;urlauth=submit+fred"),
		SPAN_INIT("imap://alice@example.org/INBOX/;UID=12;"
		    "URLAUTH=user+alice"),
	};
	unsigned char inbox[URLKEY], other[URLKEY];
	struct forgery f = { .o = o };
	struct buf url = { 0 }, last = { 0 };
	struct mailbox *mb;

	mailbox_open(o->store, SPAN("INBOX"), RIGHT_READ, &mb);
	urlkey_get(mb, true, inbox);
	mailbox_close(mb);
	mailbox_open(o->store, SPAN("other"), RIGHT_READ, &mb);
	urlkey_get(mb, true, other);
	mailbox_close(mb);
	for (size_t i = 0; i < COUNT(rumps); i++) {
		bool of_other = i == 2;

		t_mint(o, T_NOW, rumps[i], &url);
		f.url = buf_span(&url);
		f.mech = rumps[i].n + 1;
		f.end = f.mech + strlen("internal");
		ok(t_check(o, T_NOW, f.url, &(struct caller){
		    SPAN("alice"), true }) == GRANT_OK, "a URL is good");
		octets(&f);
		keys(&f, of_other ? other : inbox, of_other ? inbox : other);
		tokens(&f, of_other ? other : inbox);
		if (last.n > 0)
			with(&f, span_skip(buf_span(&last),
			    last.n - URLAUTH_TOKEN));
		buf_clear(&last);
		buf_add(&last, f.url);
	}
	printf("# %zu forgeries\n", f.tried);
	ok(f.tried >= 10000, "ten thousand forgeries of it were tried");
	ok(f.accepted == 0, "and none was accepted");
	buf_free(&url);
	buf_free(&last);
}

/* The rump with a token that this key of any length makes: true if it is
 * taken. */
static bool
taken(const struct owner *o, struct span rump, struct span key)
{
	static const struct caller all = { SPAN_INIT("alice"), true };
	unsigned char mac[33] = { 1 };
	struct buf b = { 0 };
	struct hmac m;

	hmac_key(&m, HASH_SHA256, key);
	hmac_of(&m, rump, mac + 1);
	buf_add(&b, rump);
	buf_adds(&b, ":internal:");
	buf_addhex(&b, mac, sizeof mac);
	bool good = t_check(o, T_NOW, buf_span(&b), &all) == GRANT_OK;

	buf_free(&b);
	return good;
}

/* CVE-2026-47085: where there is no key, none that can be guessed takes its
 * place. */
static void
keyless(const struct owner *o)
{
	static const struct span rumps[] = {
		SPAN_INIT("imap://alice@h/bare/;UID=1;URLAUTH=anonymous"),
		SPAN_INIT("imap://alice@h/none/;UID=1;URLAUTH=anonymous"),
		SPAN_INIT("imap://alice@h/../;UID=1;URLAUTH=anonymous"),
	};
	static const size_t sizes[] = { 0, 1, 16, URLKEY, 1 + URLKEY };
	unsigned char made[URLKEY], key[1 + URLKEY];
	struct mailbox *mb;
	size_t good = 0;

	store_create(o->store, SPAN("bare"));
	for (size_t i = 0; i < COUNT(rumps); i++)
		for (int c = 0; c < 256; c++) {
			memset(key, c, sizeof key);
			for (size_t k = 0; k < COUNT(sizes); k++)
				good += taken(o, rumps[i], (struct span){
				    (const char *)key, sizes[k] });
			key[0] = 1;	/* the version */
			good += taken(o, rumps[i], (struct span){
			    (const char *)key, sizeof key });
		}
	ok(good == 0, "a mailbox without a key has no token");
	mailbox_open(o->store, SPAN("bare"), RIGHT_READ, &mb);
	memset(made, 0, sizeof made);
	urlkey_get(mb, false, made);
	memset(key, 0, sizeof key);
	ok(memcmp(made, key, URLKEY) == 0, "nor a key after all that");
	key[0] = 1;
	urlkey_get(mb, true, key + 1);
	mailbox_close(mb);
	ok(taken(o, rumps[0], (struct span){ (const char *)key, sizeof key }),
	    "until it is given one");
	ok(!taken(o, rumps[0], (struct span){ (const char *)key + 1,
	    URLKEY }), "which counts with the version");
}

/* What a URL is good for after this happened. */
static void
revoking(const struct owner *o)
{
	static const struct span rump = SPAN_INIT(
	    "imap://alice@example.org/box/;UID=1;URLAUTH=anonymous");
	struct store *st = o->store;
	struct buf url = { 0 }, inbox = { 0 };
	struct mailbox *mb;

	store_create(st, SPAN("box"));
	t_mint(o, T_NOW, rump, &url);
	t_mint(o, T_NOW, SPAN(FOREVER), &inbox);
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_OK,
	    "a URL is good");
	store_rename(st, SPAN("box"), SPAN("moved"));
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_REVOKED,
	    "it is not when its mailbox has another name");
	store_create(st, SPAN("box"));
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_REVOKED,
	    "nor for a mailbox that takes the name");
	store_delete(st, SPAN("box"));
	store_rename(st, SPAN("moved"), SPAN("box"));
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_OK,
	    "it is again when the mailbox has its name again");
	store_delete(st, SPAN("box"));
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_REVOKED,
	    "it is not when the mailbox is deleted");
	store_create(st, SPAN("box"));
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_REVOKED,
	    "nor when it is made anew");
	ok(t_mint(o, T_NOW, rump, &url) == GRANT_OK &&
	    t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_OK,
	    "which has URLs of its own");
	mailbox_open(st, SPAN("box"), RIGHT_READ, &mb);
	urlkey_reset(mb);
	mailbox_close(mb);
	ok(t_check(o, T_NOW, buf_span(&url), &anybody) == GRANT_REVOKED,
	    "they are not when its key is reset");
	ok(t_check(o, T_NOW, buf_span(&inbox), &anybody) == GRANT_OK,
	    "others are");
	urlkey_reset_all(st);
	ok(t_check(o, T_NOW, buf_span(&inbox), &anybody) == GRANT_REVOKED,
	    "they are not when all keys are");
	buf_free(&url);
	buf_free(&inbox);
}

/* The name goes to another mailbox between the check and the reading. */
static void
meanwhile(const struct owner *o)
{
	static const struct span rump = SPAN_INIT(
	    "imap://alice@example.org/brief/;UID=1;URLAUTH=anonymous");
	struct store *st = o->store;
	struct buf url = { 0 };
	struct resolved r = { 0 };
	struct arena a = { 0 };
	struct imap_url u;

	for (int i = 0; i < 2; i++) {
		struct mailbox *mb;

		store_create(st, SPAN("brief"));
		mailbox_open(st, SPAN("brief"), RIGHT_READ | RIGHT_WRITE,
		    &mb);
		t_append(mb, "Subject: s\r\n\r\n", 0, NULL);
		mailbox_close(mb);
		if (i > 0)
			break;
		t_mint(o, T_NOW, rump, &url);
		ok(imap_url_parse(&a, buf_span(&url), &u) == NULL &&
		    grant_check(o, T_NOW, &u, &anybody) == GRANT_OK,
		    "a URL is good");
		store_delete(st, SPAN("brief"));
	}
	ok(url_resolve(st, &t_space, &u, NULL, &r) == STORE_NONEXISTENT,
	    "it gives nothing of a mailbox that took the name since");
	resolved_free(&r);
	arena_free(&a);
	buf_free(&url);
}

static void
checking(const struct owner *o)
{
	struct owner bob = *o;
	struct buf url = { 0 };

	bob.name = SPAN("bob");
	t_mint(o, T_NOW, SPAN(FOREVER), &url);
	ok(t_check(&bob, T_NOW, buf_span(&url), &anybody) == GRANT_ACCESS,
	    "a URL is good with its owner only");
	ok(t_check(o, T_NOW, SPAN(FOREVER), &anybody) == GRANT_SYNTAX,
	    "a rump is not good");
	ok(t_check(o, T_NOW, SPAN(FOREVER ":x:"
	    "91354a473744909de610943775f92038"), &anybody) == GRANT_SYNTAX,
	    "another mechanism is not");
	buf_free(&url);
}

int
main(void)
{
	t_make_dir();
	struct store *st = t_store();
	struct owner o = t_owner(st);

	store_create(st, SPAN("other"));
	minting(&o);
	accesses(&o);
	expiry(&o);
	checking(&o);
	forgeries(&o);
	keyless(&o);
	revoking(&o);
	meanwhile(&o);
	store_close(st);
	t_remove_dir();
	return done();
}

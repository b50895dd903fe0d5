/* SPDX-License-Identifier: ISC */
#include "store/name.h"

#include "../../t.h"

#define NUL "\0"
#define L(s) SPAN_INIT(s)

static const struct {
	struct span name, disk;
} both[] = {
	{ L("INBOX"), L(".") },
	{ L("Lists"), L(".Lists") },
	{ L("Lists" NUL "C"), L(".Lists.C") },
	{ L("Lists" NUL "INBOX"), L(".Lists.INBOX") },
	{ L("R\xc3\xa9sum\xc3\xa9"), L(".R&AOk-sum&AOk-") },
	{ L("a&b"), L(".a&-b") },
	{ L("v1.2"), L(".v1&AC4-2") },
	{ L("v1..2"), L(".v1&AC4ALg-2") },
	{ L("100%"), L(".100%") },
	{ L("a%41"), L(".a%41") },
	{ L("lemon"), L(".lemon") },
	{ L("a~"), L(".a~") },
	{ L("INBOX.x"), L(".INBOX&AC4-x") },
	{ L("\xf0\x9f\x8d\x8b"), L(".&2DzfSw-") },
};

static const struct span refused[] = {
	L(""), L("a" NUL), L(NUL "a"), L("a" NUL NUL "b"), L("."), L(".."),
	L(".a"), L("a" NUL ".b"), L("~"), L("~root"), L("a" NUL "~b"),
	L("a/b"), L("/"), L("a\nb"), L("a\x7f"), L("\x01"), L("a\xff"),
	L("\xc0\xaf"), L("\xed\xa0\x80"), L("\xc2\x80"), L("\xe2\x80\xa8"),
	L("INBOX" NUL "x"), L("inbox" NUL "x"), L("bad%26name"),
	L("%49NBOX"), L("a%2E%2Eb"),
};

/* Directories that are not canonical, and how they are shown. */
static const struct {
	struct span disk;
	enum name_form form;
	struct span name;
} odd[] = {
	{ L(".bad&name"), NAME_CANONICAL, L("bad%26name") },
	{ L(".bad&name"), NAME_UTF8, L("bad%26name") },
	{ L(".bad&name"), NAME_COURIER, L("bad&name") },
	{ L(".bad%26name"), NAME_CANONICAL, L("bad%2526name") },
	{ L(".bad%2526name"), NAME_CANONICAL, L("bad%252526name") },
	{ L(".bad%name"), NAME_CANONICAL, L("bad%name") },
	{ L(".R\xc3\xa9sum\xc3\xa9"), NAME_CANONICAL,
	    L("R%C3%A9sum%C3%A9") },
	{ L(".R\xc3\xa9sum\xc3\xa9"), NAME_UTF8, L("R\xc3\xa9sum\xc3\xa9") },
	{ L(".R\xe9sum\xe9"), NAME_UTF8, L("R%E9sum%E9") },
	{ L(".a.R\xe9.b"), NAME_UTF8, L("a" NUL "R%E9" NUL "b") },
	{ L(".a..b"), NAME_UTF8, L("a%2E%2Eb") },
	{ L("..a"), NAME_UTF8, L("%2Ea") },
	{ L(".a."), NAME_UTF8, L("a%2E") },
	{ L("..."), NAME_UTF8, L("%2E%2E") },
	{ L(".INBOX"), NAME_UTF8, L("%49NBOX") },
	{ L(".inbox.x"), NAME_UTF8, L("%69nbox" NUL "x") },
	{ L(".~x"), NAME_UTF8, L("%7Ex") },
	{ L(".&AC8-"), NAME_UTF8, L("%26AC8-") },
	{ L(".&AGE-"), NAME_COURIER, L("&AGE-") },
	{ L(".a\nb"), NAME_COURIER, L("a%0Ab") },
	{ L(".a\x1b[31m"), NAME_COURIER, L("a%1B[31m") },
};

static void
ways(struct span name, struct span disk)
{
	struct buf b = { 0 };

	ok(name_disk(name, &b) == STORE_OK, "a good name has a directory");
	is(buf_span(&b), disk, "which is the canonical one");
	buf_clear(&b);
	if (disk.n > 1) {
		name_show(disk, NAME_COURIER, &b);
		is(buf_span(&b), name, "and the directory shows the name");
	}
	buf_free(&b);
}

/* n times that octet. */
static bool
fits(char c, size_t n)
{
	struct buf name = { 0 }, disk = { 0 };
	bool good;

	for (size_t i = 0; i < n; i++)
		buf_addc(&name, c);
	good = name_disk(buf_span(&name), &disk) == STORE_OK;
	buf_free(&name);
	buf_free(&disk);
	return good;
}

int
main(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < COUNT(both); i++)
		ways(both[i].name, both[i].disk);
	ok(name_disk(SPAN("inBox"), &b) == STORE_OK &&
	    span_eq(buf_span(&b), SPAN(".")), "INBOX is so in any case");
	for (size_t i = 0; i < COUNT(refused); i++) {
		buf_clear(&b);
		if (!ok(name_disk(refused[i], &b) == STORE_CANNOT &&
		    b.n == 0, "a name that can never be is refused"))
			printf("# number %zu\n", i);
	}
	for (size_t i = 0; i < COUNT(odd); i++) {
		buf_clear(&b);
		name_show(odd[i].disk, odd[i].form, &b);
		is(buf_span(&b), odd[i].name,
		    "a directory that is no name is shown as one");
		if (span_chr(odd[i].name, '%') == odd[i].name.n ||
		    span_eq(odd[i].name, SPAN("bad%name")))
			continue;
		ok(name_escaped(odd[i].name), "of a form that is its own");
		buf_clear(&b);
		ok(name_raw(odd[i].name, &b), "which leads back");
		is(buf_span(&b), odd[i].disk, "to that directory");
	}
	ok(fits('a', 254) && !fits('a', 255),
	    "a directory's name has 255 octets at most");
	ok(!fits('.', 100), "and dots take more");
	is(name_parent((struct span)L("a" NUL "b" NUL "c")),
	    (struct span)L("a" NUL "b"), "the parent of a name");
	ok(name_parent(SPAN("a")).n == 0, "a name at the top has none");
	ok(name_below((struct span)L("a" NUL "b"), SPAN("a")) &&
	    !name_below(SPAN("ab"), SPAN("a")) &&
	    !name_below(SPAN("a"), SPAN("a")), "below is below");
	buf_free(&b);
	return done();
}

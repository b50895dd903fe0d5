/* SPDX-License-Identifier: ISC */
#include "store/letters.h"

#include <string.h>

#include "store/filename.h"
#include "store/view.h"

static const struct {
	char letter;
	uint32_t flag;
} letters[] = {		/* in the order of the letters, as Maildir wants */
	{ 'D', MSG_DRAFT },
	{ 'F', MSG_FLAGGED },
	{ 'R', MSG_ANSWERED },
	{ 'S', MSG_SEEN },
	{ 'T', MSG_DELETED },
};

uint32_t
letters_flags(struct span s)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < s.n; i++)
		for (size_t j = 0; j < COUNT(letters); j++)
			if (s.p[i] == letters[j].letter)
				flags |= letters[j].flag;
	return flags;
}

char
letters_of(uint32_t flag)
{
	for (size_t j = 0; j < COUNT(letters); j++)
		if (letters[j].flag == flag)
			return letters[j].letter;
	return '?';
}

bool
letters_valid(struct span name)
{
	if (name.n == 0 || name.n > 255 || name.p[0] == '.' ||
	    filename_base(name).n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			return false;
	return true;
}

static bool
has_flag(char letter, uint32_t *flag)
{
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].letter == letter) {
			*flag = letters[i].flag;
			return true;
		}
	return false;
}

/* Letters stay sorted, as maildir(5) asks. */
void
letters_name(struct buf *to, struct span base, struct span old, uint32_t flags)
{
	bool keep[128] = { 0 };
	uint32_t flag;

	for (size_t i = 0; i < old.n; i++)
		if ((unsigned char)old.p[i] < 128 &&
		    !has_flag(old.p[i], &flag))
			keep[(unsigned char)old.p[i]] = true;
	for (size_t i = 0; i < COUNT(letters); i++)
		if (flags & letters[i].flag)
			keep[(unsigned char)letters[i].letter] = true;
	buf_add(to, base);
	buf_adds(to, ":2,");
	for (int c = '!'; c < 127; c++)
		if (keep[c])
			buf_addc(to, (char)c);
}

uint64_t
letters_hash(struct span s)
{
	uint64_t h = 0x9e3779b97f4a7c15 ^ s.n, w;

	while (s.n > 0) {
		size_t n = s.n < 8 ? s.n : 8;

		w = 0;
		memcpy(&w, s.p, n);
		h = (h ^ w) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
		s = span_skip(s, n);
	}
	h *= 0xc4ceb9fe1a85ec53;
	return h ^ h >> 29;
}

/* SPDX-License-Identifier: ISC */
#include "text/icu.h"

#include "../../t.h"

/* Whether the library is mapped into this process. */
static bool
mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool yes = false;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		yes |= strstr(line, "libicu") != NULL;
	if (f != NULL)
		fclose(f);
	return yes;
}

int
main(void)
{
	ok(!mapped(), "ICU is not there before it is needed");
	ok(icu() != NULL, "ICU of the version compiled with is found");
	ok(mapped(), "and then it is there");
	ok(icu() == icu(), "it is opened once");
	ok(icu()->u_totitle('a') == 'A', "and works");
	return done();
}

/* SPDX-License-Identifier: ISC */
#include "text/icu.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/span.h"

/* The name that the header's renaming makes of a function. */
#define NAME(f) NAME_(f)
#define NAME_(f) #f

static const struct {
	const char *name;
	size_t at;
} functions[] = {
	{ NAME(ucnv_open), offsetof(struct icu, ucnv_open) },
	{ NAME(ucnv_close), offsetof(struct icu, ucnv_close) },
	{ NAME(ucnv_reset), offsetof(struct icu, ucnv_reset) },
	{ NAME(ucnv_countAliases), offsetof(struct icu, ucnv_countAliases) },
	{ NAME(ucnv_setToUCallBack),
	    offsetof(struct icu, ucnv_setToUCallBack) },
	{ NAME(ucnv_toUnicode), offsetof(struct icu, ucnv_toUnicode) },
	{ NAME(UCNV_TO_U_CALLBACK_STOP), offsetof(struct icu, stop) },
	{ NAME(u_totitle), offsetof(struct icu, u_totitle) },
	{ NAME(unorm2_getNFKDInstance),
	    offsetof(struct icu, unorm2_getNFKDInstance) },
	{ NAME(unorm2_getDecomposition),
	    offsetof(struct icu, unorm2_getDecomposition) },
	{ NAME(u_strFromUTF8), offsetof(struct icu, u_strFromUTF8) },
	{ NAME(u_strToUTF8), offsetof(struct icu, u_strToUTF8) },
	{ NAME(usprep_openByType), offsetof(struct icu, usprep_openByType) },
	{ NAME(usprep_close), offsetof(struct icu, usprep_close) },
	{ NAME(usprep_prepare), offsetof(struct icu, usprep_prepare) },
};

static bool
load(struct icu *to)
{
	void *lib = dlopen(ICU_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	UErrorCode e = U_ZERO_ERROR;

	if (lib == NULL)
		return false;
	for (size_t i = 0; i < COUNT(functions); i++) {
		void *f = dlsym(lib, functions[i].name);

		if (f == NULL) {
			dlclose(lib);
			return false;
		}
		memcpy((char *)to + functions[i].at, &f, sizeof f);
	}
	to->nfkd = to->unorm2_getNFKDInstance(&e);
	return !U_FAILURE(e);
}

const struct icu *
icu(void)
{
	/* The one table of a lazily loaded library; written once. */
	static struct icu table;
	static enum { UNTRIED, LOADED, ABSENT } state;

	if (state == UNTRIED)
		state = load(&table) ? LOADED : ABSENT;
	return state == LOADED ? &table : NULL;
}

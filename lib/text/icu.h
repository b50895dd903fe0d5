/* SPDX-License-Identifier: ISC */
#ifndef TEXT_ICU_H
#define TEXT_ICU_H

#include <unicode/ucnv.h>
#include <unicode/unorm2.h>
#include <unicode/uchar.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

/*
 * What we use of libicuuc, opened at first use: its load costs a millisecond,
 * and most connections never need it.  The headers rename every function
 * with the version they belong to (ucnv_open becomes ucnv_open_72), the
 * members below too, so only that version is ever called.
 *
 * Opening reads the library's file and maps it executable.  A process that
 * shuts its doors (auth/confine.h) must leave the directories of shared
 * libraries readable, or call icu() before.
 */
#define ICU_LIBRARY "libicuuc.so." U_ICU_VERSION_SHORT

struct icu {
	__typeof__(ucnv_open) *ucnv_open;
	__typeof__(ucnv_close) *ucnv_close;
	__typeof__(ucnv_reset) *ucnv_reset;
	__typeof__(ucnv_countAliases) *ucnv_countAliases;
	__typeof__(ucnv_setToUCallBack) *ucnv_setToUCallBack;
	__typeof__(ucnv_toUnicode) *ucnv_toUnicode;
	__typeof__(UCNV_TO_U_CALLBACK_STOP) *stop;
	__typeof__(u_totitle) *u_totitle;
	__typeof__(unorm2_getNFKDInstance) *unorm2_getNFKDInstance;
	__typeof__(unorm2_getDecomposition) *unorm2_getDecomposition;
	__typeof__(u_strFromUTF8) *u_strFromUTF8;
	__typeof__(u_strToUTF8) *u_strToUTF8;
	__typeof__(usprep_openByType) *usprep_openByType;
	__typeof__(usprep_close) *usprep_close;
	__typeof__(usprep_prepare) *usprep_prepare;
	const UNormalizer2 *nfkd;
};

/* NULL if the library is not there. */
const struct icu *icu(void);

#endif

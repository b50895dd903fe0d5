/* SPDX-License-Identifier: ISC */
#ifndef STORE_BINARY_H
#define STORE_BINARY_H

#include "mime/digest.h"
#include "store/writer.h"

/*
 * Parts declared "binary" become base64, so that what IMAP shows of a
 * message is legal without BINARY and agrees with itself.
 */

/* Whether some part, composite ones too, is declared so. */
bool binary_has(const struct digest *d);

/* Copy the message of that digest from fd to w: leaves of that encoding as
 * base64, the header fields that say so adjusted ("8bit" for a multipart or
 * a message, whose content now is no more than that).  0, or an errno. */
int binary_copy(int fd, const struct digest *d, struct writer *w);

#endif

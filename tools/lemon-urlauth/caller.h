/* SPDX-License-Identifier: ISC */
#ifndef CALLER_H
#define CALLER_H

#include "house.h"

/* Whether the URL lets -c read: nobody in particular, NAME, or "submit+NAME",
 * the submission server in that user's name. */
enum grant caller_check(struct house *h, struct imap_url *u);

#endif

/* SPDX-License-Identifier: ISC */
#ifndef STORE_BUILD_H
#define STORE_BUILD_H

#include "store/record.h"

/*
 * The first look at a folder that is new to the index: UIDs and keywords come
 * from its uidlist, all else from the directories.  Until it is finished the
 * mailbox is "building", and nobody sees it.  Looking is done without the
 * write lock, and writing in portions of it; a successor of who dies goes on
 * where that one was.
 *
 * STORE_OK does not mean that it is built: another may have been faster, or
 * have begun anew.
 */
enum store_result mailbox_build(struct mailbox *mb);

#endif

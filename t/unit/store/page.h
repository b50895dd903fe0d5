/* SPDX-License-Identifier: ISC */
/* LMDB's pages with keys in them. */
#ifndef T_PAGE_H
#define T_PAGE_H

#include <lmdb.h>
#include <stdio.h>
#include <string.h>

#include "base/die.h"
#include "base/span.h"

/* The values of every big-th of so many keys have pages of their own. */
struct t_keys {
	int n, big;
};

static inline struct span
t_key(char k[16], int i)
{
	return (struct span){ k, (size_t)snprintf(k, 16, "key %06d", i) };
}

/* A commit that gives every step-th key a value of that octet. */
static inline void
t_put(MDB_env *env, struct t_keys keys, int step, char octet)
{
	static char v[9000];
	char k[16];
	MDB_txn *t;
	MDB_dbi dbi;

	memset(v, octet, sizeof v);
	if (mdb_txn_begin(env, NULL, 0, &t) != 0 ||
	    mdb_dbi_open(t, NULL, 0, &dbi) != 0)
		die_temp("lmdb");
	for (int i = 0; i < keys.n; i += step) {
		struct span s = t_key(k, i);
		MDB_val key = { s.n, k };
		MDB_val value = { i % keys.big == 0 ? sizeof v : 40, v };

		if (mdb_put(t, dbi, &key, &value, 0) != 0)
			die_temp("lmdb");
	}
	if (mdb_txn_commit(t) != 0)
		die_temp("lmdb");
}

#endif

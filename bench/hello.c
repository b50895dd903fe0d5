/* SPDX-License-Identifier: ISC */
/* The least that a server can be: linked statically, it says a line. */
#include <unistd.h>

int
main(void)
{
	return write(1, "* OK hello\r\n", 12) != 12;
}

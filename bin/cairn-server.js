#!/bin/sh
':' //; exec env GLIBC_TUNABLES="${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}" node "$0" "$@"
/**
 * The `cairn-server` program, built from src/server/cli/main-server.ts.
 *
 * A shell reads the second line and makes way for node, with the same PID; JavaScript sees a text
 * and a comment. It asks the C library for huge pages, where there are any (glibc 2.35, Linux):
 * with millions of keys most of a look-up is spent on finding out where a page is. Servers that
 * fork to save must do without, since each write would copy two megabytes.
 */
import '../dist/run/main-server.js';

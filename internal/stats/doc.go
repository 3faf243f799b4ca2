// Package stats holds the statistical methods as pure functions: numbers in,
// numbers out, no clock, no database, no words. Each file begins with its
// source. What an argument cannot be is refused by a zero result that the
// caller can tell (ok = false), never by a panic: the pages turn refusals into
// sentences.
package stats

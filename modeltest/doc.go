// Package modeltest runs random operations against several engines that share
// one store, with everything around them failing now and then, and checks what
// must always hold after each operation. Its tests are the package; what must
// hold is in modeltest/check.
package modeltest

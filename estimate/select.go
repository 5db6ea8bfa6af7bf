package estimate

// summarise turns the waits of all paths into one Wait. It reorders x.
func summarise(x []float64) Wait {
	total, most := 0.0, 0.0
	for _, v := range x {
		total += v
		most = max(most, v)
	}
	if most == 0 {
		return Wait{Known: true, Method: Immediate}
	}
	p50 := quantile(x, 0.5)
	if p50 >= horizon {
		return Unknown(NoAgents)
	}
	return known(MonteCarlo, p50, quantile(x, 0.9), total/float64(len(x)))
}

// quantile returns the p-quantile of x such that a new draw stays below it
// with probability p: that of rank p*(n+1), straight between two values. It
// reorders x.
func quantile(x []float64, p float64) float64 {
	rank := p*float64(len(x)+1) - 1
	lo := min(max(int(rank), 0), len(x)-1)
	low := nth(x, lo)
	if lo+1 >= len(x) || rank <= float64(lo) {
		return low
	}
	high := x[lo+1]
	for _, v := range x[lo+2:] {
		high = min(high, v)
	}
	return low + (rank-float64(lo))*(high-low)
}

// nth moves the value of rank n of x to x[n], nothing larger before it and
// nothing smaller after it, and returns it. x must not hold NaN.
func nth(x []float64, n int) float64 {
	lo, hi := 0, len(x)-1
	for lo < hi {
		pivot := x[n]
		i, j := lo, hi
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for pivot < x[j] {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		if j < n {
			lo = i
		}
		if n < i {
			hi = j
		}
	}
	return x[n]
}

package trigger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-2a427302/handoff/trigger"
)

// The pieces cover prose, text that matches all over, tokens of few bytes,
// spelling mistakes, scripts without spaces, invalid bytes and compounds.
var benchPieces = []string{
	"my order has not arrived and the page says nothing, ",
	"talk to a real human agent ",
	"customer service agent ", "a ", "x", "i i i i ",
	"agxnt humxn persxn opertor ",
	"人工客服", "ünïcödé ", "\x00\xff", "a.b,", "mitarbeiterberaterx ",
}

func BenchmarkRead(b *testing.B) {
	eng, err := trigger.New(trigger.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, lang := range []string{"en", ""} {
		for i, p := range benchPieces {
			for _, size := range []int{40, 1000, 100_000} {
				text := strings.Repeat(p, size/len(p)+1)
				b.Run(fmt.Sprintf("lang=%q/piece=%d/bytes=%d", lang, i, size), func(b *testing.B) {
					var buf [16]trigger.Signal
					b.ReportAllocs()
					for b.Loop() {
						eng.Read(buf[:0], text, lang)
					}
				})
			}
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		if _, err := trigger.New(trigger.Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

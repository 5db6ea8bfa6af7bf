package estimate

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestBookKeepsKeysApart(t *testing.T) {
	asked := 0
	b := Book{Prior: func(k Key) Prior {
		asked++
		if k.Mode == "video" {
			return Prior{Handle: 30 * time.Minute}
		}
		return Prior{}
	}}
	text, video := Key{"sales", "text"}, Key{"sales", "video"}
	for i := range 200 {
		at := monday.Add(time.Duration(i) * time.Minute)
		b.Handled(text, at, at.Add(2*time.Minute))
		b.Waited(text, at, at.Add(time.Minute), i%2 == 0)
		b.Arrived(text, at, 0)
		b.Staffed(text, at, at.Add(time.Minute), 2, 1)
	}
	now := monday.Add(205 * time.Minute)
	if p := b.Params(video, now, Live{}); math.Abs(p.Handle.Mean()-1800) > 1 || p.Leave != 0 {
		t.Errorf("video learned from text: %v", p.Handle.Mean())
	}
	p := b.Params(text, now, Live{})
	if p.Handle.Mean() > 300 || p.Leave == 0 || len(p.Arrivals) != 1 || p.Yield > 0.9 {
		t.Errorf("text learned nothing: handle %v, leave %v, arrivals %v, yield %v", p.Handle.Mean(), p.Leave, p.Arrivals, p.Yield)
	}
	if asked != 2 || len(b.Keys()) != 2 {
		t.Errorf("prior asked %d times for %v", asked, b.Keys())
	}
}

func TestBookSavesAndLoads(t *testing.T) {
	var a, b Book
	k := Key{"sales", "text"}
	for i := range 50 {
		at := monday.Add(time.Duration(i) * time.Minute)
		a.Handled(k, at, at.Add(2*time.Minute))
	}
	data, err := a.Save(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Load(k, data); err != nil {
		t.Fatal(err)
	}
	now := monday.Add(time.Hour)
	if x, y := a.Params(k, now, Live{}), b.Params(k, now, Live{}); x.Handle != y.Handle {
		t.Error("loaded params differ from saved ones")
	}
	if err := b.Load(k, []byte("x")); err == nil {
		t.Error("loaded rubbish")
	}
	if p := b.Params(k, now, Live{}); !p.Known {
		t.Error("a refused load forgot what was known")
	}
}

func TestBookIsSafeForConcurrentUse(t *testing.T) {
	var b Book
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			k := Key{Queue: string(rune('a' + i%2))}
			for j := range 100 {
				at := monday.Add(time.Duration(j) * time.Minute)
				b.Handled(k, at, at.Add(time.Minute))
				b.Params(k, at, Live{})
				b.Keys()
			}
		})
	}
	wg.Wait()
	var one Book
	for range 4 {
		for j := range 100 {
			at := monday.Add(time.Duration(j) * time.Minute)
			one.Handled(Key{Queue: "a"}, at, at.Add(time.Minute))
		}
	}
	x, _ := b.Save(Key{Queue: "a"})
	y, _ := one.Save(Key{Queue: "a"})
	if string(x) != string(y) {
		t.Error("four writers at once and four in turn differ")
	}
}

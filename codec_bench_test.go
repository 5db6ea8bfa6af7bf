package handoff

import "testing"

// BenchmarkCodec measures what a durable store adds to each commit and each
// read: encoding and decoding a record with a bit of everything, and an entry.
func BenchmarkCodec(b *testing.B) {
	record, entry := []byte(benchRecord), []byte(benchEntry)
	h, e := new(Handoff), new(Entry)
	if err := h.unmarshalStored(record); err != nil {
		b.Fatal(err)
	}
	if err := e.UnmarshalJSON(entry); err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		f    func() error
	}{
		{"record/encode", func() error { encode(h); return nil }},
		{"record/decode", func() error { return new(Handoff).unmarshalStored(record) }},
		{"entry/encode", func() error { encode(e); return nil }},
		{"entry/decode", func() error { _, err := (&RecordEntry{Body: BodyOf(entry)}).decode(ID{}); return err }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

const benchRecord = `{"id":{"conversation":"conversation-4711","number":3},"seq":27,"state":"active","epoch":6,"user":{"id":"u1","name":"Maria Silva",` +
	`"mail":"maria@example.com","verified":true,"attributes":{"plan":"pro"}},"language":"pt-BR","channel":"web","url":"https://example.com/basket",` +
	`"need":{"queue":"billing","skills":[{"name":"refunds","level":2},{"name":"vip","optional":true}],"language":"pt"},"reason":"user_requested",` +
	`"tags":["refund","vip"],"answers":{"order":"A-100","what":"The parcel did not arrive"},"attended":true,"agent":"ann","agent_name":"Ann","last_agent":"ann",` +
	`"offer_no":2,"created":"2026-11-27T10:00:00Z","enqueued":"2026-11-27T10:01:00Z","joined":"2026-11-27T10:03:00Z","updated":"2026-11-27T10:05:00.123Z",` +
	`"last_user":"2026-11-27T10:05:00Z","last_said":"2026-11-27T10:04:00Z","stretch":{"bot":60000000000,"wait":120000000000,"first_wait":120000000000},` +
	`"pending":[{"message":"m21","seq":26,"at":"2026-11-27T10:05:00Z"},{"message":"m22","seq":27,"at":"2026-11-27T10:05:00.123Z"}],` +
	`"deadlines":[{"kind":"idle","at":"2026-11-27T10:20:00Z"},{"kind":"alert","at":"2026-11-27T10:07:00Z"}],"place":{"position":1,"known":true,"p50":60000000000,` +
	`"p90":120000000000,"at":"2026-11-27T10:02:00Z"},"own":{"known":"AAAAAAAAAAEAAAABAAAAAAAAAAIAAAABAAAAAAAAAAMAAAABAAAAAAAAAAQAAAAB",` +
	`"owed":[{"Sink":"channel","Cursor":"channel","Seq":25},{"Sink":"sink/audit","Cursor":"sink/audit","Seq":27}],"seat":{"agent":"ann","units":1,"max":4,` +
	`"since":"2026-11-27T10:03:00Z"},"declined":[{"agent":"bob","until":"2026-11-27T10:30:00Z","why":"declined","refused":true}],"ladder_from":"2026-11-27T10:01:00Z",` +
	`"units":1,"stands":"2026-11-27T10:03:00Z","attended":"2026-11-27T10:03:00Z","lined":"2026-11-27T10:01:00Z"}}`

const benchEntry = `{"id":"0198c5a2-7c1e-7d53-9e7f-0c8a4ad4c001","seq":27,"at":"2026-11-27T10:05:00.123Z","kind":"message","from":{"role":"user","id":"u1","name":"Maria Silva"},` +
	`"text":"The parcel did not arrive. Can you look where it is, please?","state":"active","epoch":6,"message":"m22"}`

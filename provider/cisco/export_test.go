package cisco

import "github.com/seed-2a427302/handoff"

// Answers reads answers one after the other, as a Stream does.
func Answers(reference string, bodies ...[]byte) (out []handoff.ProviderEvent, err error) {
	r := reader{reference: reference, told: map[string]bool{}}
	for _, body := range bodies {
		list, err := parse("stream", body)
		if err != nil {
			return nil, err
		}
		over, err := r.tell(list, func(ev handoff.ProviderEvent) error { out = append(out, ev); return nil })
		if over || err != nil {
			return out, err
		}
	}
	return out, nil
}

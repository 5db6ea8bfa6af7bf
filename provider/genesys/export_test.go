package genesys

// Unlimited lifts the limit of requests: outside of a bubble it takes time.
func (p *Provider) Unlimited() *Provider {
	p.api.Limit = nil
	return p
}

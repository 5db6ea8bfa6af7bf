package redisstore

// Channel is what a store listens to.
func Channel(s *Store) string { return s.channel() }

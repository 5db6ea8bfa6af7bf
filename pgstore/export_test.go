package pgstore

// ForceGroup makes every commit travel with others, however few there are.
func ForceGroup(s *Store) *Store {
	s.crowd = -1
	return s
}

// Channel is what a store listens to.
func Channel(s *Store) string { return s.channel() }

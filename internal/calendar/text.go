package calendar

import (
	"fmt"
	"time"
)

// String is the day as "2006-01-02"; "" for day 0, which stands for "none".
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// ParseDay reads what String wrote.
func ParseDay(s string) (Day, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("calendar: day %q: want YYYY-MM-DD", s)
	}
	return Day(t.Unix() / 86400), nil
}

// MarshalText writes the day as String does (JSON, URLs).
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Day) UnmarshalText(text []byte) error {
	v, err := ParseDay(string(text))
	if err == nil {
		*d = v
	}
	return err
}

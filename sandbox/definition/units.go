package definition

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size in bytes.
type Bytes int64

// ParseBytes reads "512", "64K", "512M", "1.5G", "1T" (powers of 1024; a final
// "iB" or "B" is allowed). Negative, fractional and overflowing sizes are errors.
func ParseBytes(s string) (Bytes, error) {
	number, unit := strings.TrimSpace(s), int64(1)
	number = strings.TrimSuffix(strings.TrimSuffix(number, "B"), "i")
	if number != "" {
		if shift := strings.IndexByte("KMGTP", number[len(number)-1]&^0x20); shift >= 0 {
			unit, number = 1<<(10*(shift+1)), number[:len(number)-1]
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || number == "" || strings.ContainsAny(number, "xXpPeEnN_+") {
		return 0, fmt.Errorf("%q is not a size; write a number and K, M, G or T, like \"512M\"", s)
	}
	bytes := value * float64(unit)
	switch {
	case value < 0:
		return 0, fmt.Errorf("the size %q is negative", s)
	case bytes >= math.MaxInt64:
		return 0, fmt.Errorf("the size %q is too large", s)
	case bytes != math.Trunc(bytes):
		return 0, fmt.Errorf("the size %q is not a whole number of bytes", s)
	}
	return Bytes(bytes), nil
}

// String returns the size in the largest unit that leaves at most one decimal
// exact, and else in bytes: "1G", "1.5G", "1023".
func (b Bytes) String() string {
	for i, unit := range []string{"P", "T", "G", "M", "K"} {
		size := Bytes(1) << (10 * (5 - i))
		if b >= size && b*10%size == 0 {
			return strconv.FormatFloat(float64(b)/float64(size), 'f', -1, 64) + unit
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Duration is a length of time; its JSON form is a string like "1m30s".
type Duration time.Duration

// ParseDuration reads "90s", "2m", "1h30m", "250ms". A number without a unit and
// a negative time are errors.
func ParseDuration(s string) (Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil && strings.Trim(s, "0123456789.") == "" && s != "":
		return 0, fmt.Errorf("the time %q has no unit; write %q", s, s+"s")
	case err != nil:
		return 0, fmt.Errorf("%q is not a time; write a number and ms, s, m or h, like \"90s\"", s)
	case d < 0:
		return 0, fmt.Errorf("the time %q is negative", s)
	}
	return Duration(d), nil
}

// String returns the time without zero parts: "2m", "1h30m", "250ms".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	*d = v
	return err
}

package yaml

import (
	"math"
	"strconv"
	"strings"
)

// resolve tells what a text without quotes is, by the core schema of YAML 1.2
// (10.3.2): yes, no, on and off are strings, and so are dates.
func (p *parser) resolve(node *Node, text string) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		node.Kind = Null
	case "true", "True", "TRUE":
		node.Kind, node.Bool = Bool, true
	case "false", "False", "FALSE":
		node.Kind = Bool
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		node.Kind, node.Float = Float, math.Inf(1)
	case "-.inf", "-.Inf", "-.INF":
		node.Kind, node.Float = Float, math.Inf(-1)
	case ".nan", ".NaN", ".NAN":
		node.Kind, node.Float = Float, math.NaN()
	default:
		p.number(node, text)
	}
	node.Text, node.raw = text, text
	if node.Kind == Int {
		node.Text = p.decimal(text)
	}
}

const digits = "0123456789"

// number tells whether a text is a number: [-+]?[0-9]+, 0o[0-7]+, 0x[0-9a-fA-F]+,
// or [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?.
func (p *parser) number(node *Node, text string) {
	node.Kind = String
	unsigned := strings.TrimPrefix(strings.TrimPrefix(text, "-"), "+")
	if len(text)-len(unsigned) > 1 {
		return
	}
	switch {
	case isBased(text):
		node.Kind = Int
	case unsigned != "" && strings.Trim(unsigned, digits) == "":
		node.Kind, node.doubtful = Int, len(unsigned) > 1 && unsigned[0] == '0'
	case isFloat(unsigned):
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			p.fail("the number %s is too large", short(text))
		}
		node.Kind, node.Float = Float, f
	}
}

func isBased(text string) bool {
	octal, isOctal := strings.CutPrefix(text, "0o")
	hex, isHex := strings.CutPrefix(text, "0x")
	return isOctal && octal != "" && strings.Trim(octal, "01234567") == "" ||
		isHex && hex != "" && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
}

func isFloat(text string) bool {
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
		exponent = strings.TrimLeft(exponent[:min(1, len(exponent))], "+-") + exponent[min(1, len(exponent)):]
		if exponent == "" || strings.Trim(exponent, digits) != "" {
			return false
		}
	}
	whole, fraction, dot := strings.Cut(mantissa, ".")
	if strings.Trim(whole+fraction, digits) != "" {
		return false
	}
	return whole != "" || dot && fraction != ""
}

// decimal writes an integer in decimal.
func (p *parser) decimal(text string) string {
	text = strings.TrimPrefix(text, "+")
	if !isBased(text) {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			p.fail("the number %s is too large", short(text))
		}
		if text == "-0" {
			return "0"
		}
		return text
	}
	base := 16
	if text[1] == 'o' {
		base = 8
	}
	n, err := strconv.ParseUint(text[2:], base, 64)
	if err != nil {
		p.fail("the number %s is too large", short(text))
	}
	return strconv.FormatUint(n, 10)
}

// tagged makes of a node what its tag says, or refuses.
func (p *parser) tagged(node *Node, tag string) {
	switch tag {
	case "!!str":
		if node.Kind == Int {
			node.Text = node.raw
		}
		if node.Kind < List {
			node.Kind = String
			return
		}
	case "!!null", "!!bool", "!!int", "!!float":
		if p.taggedScalar(node, [...]Kind{Null, Bool, Int, Float}[strings.Index("nbif", tag[2:3])]) {
			return
		}
	case "!!map":
		if node.Kind == Map {
			return
		}
	case "!!seq":
		if node.Kind == List {
			return
		}
	default:
		p.fail("the tag %s is not known", short(tag))
	}
	p.fail("the value is not what its tag %s says", tag)
}

// taggedScalar makes of a scalar what its tag says, quoted or not.
func (p *parser) taggedScalar(node *Node, kind Kind) bool {
	if node.Kind == String {
		p.resolve(node, node.Text)
	}
	if kind == Float && node.Kind == Int {
		f, err := strconv.ParseFloat(node.Text, 64)
		if err != nil {
			p.fail("the number %s is too large", short(node.raw))
		}
		node.Kind, node.Float = Float, f
	}
	return node.Kind == kind
}

package yaml

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	oracle "go.yaml.in/yaml/v3"
)

// theirs is what another reader makes of a text, in the form of shape.
func theirs(text string) (string, error) {
	decoder := oracle.NewDecoder(strings.NewReader(text))
	var shapes []string
	for {
		var document oracle.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return strings.Join(shapes, "\n"), nil
		}
		if err != nil {
			return "", err
		}
		node, err := convert(&document, 0)
		if err != nil {
			return "", err
		}
		shapes = append(shapes, shape(node))
	}
}

var errDeep = errors.New("too deep")

func convert(n *oracle.Node, depth int) (*Node, error) {
	if depth > 200 {
		return nil, errDeep
	}
	out := &Node{}
	switch n.Kind {
	case oracle.DocumentNode:
		return convert(n.Content[0], depth+1)
	case oracle.AliasNode:
		return convert(n.Alias, depth+1)
	case oracle.SequenceNode:
		out.Kind = List
		for _, item := range n.Content {
			node, err := convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, node)
		}
		return out, nil
	case oracle.MappingNode:
		return convertMap(n, depth)
	}
	return convertScalar(n)
}

func convertMap(n *oracle.Node, depth int) (*Node, error) {
	t := &pairs{parser: &parser{options: bounds}, node: &Node{Kind: Map}}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		value, err := convert(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if key.Kind != oracle.ScalarNode {
			return nil, errors.New("a key that is no scalar")
		}
		if key.ShortTag() == "!!merge" {
			t.merge(value)
		} else if !t.has(key.Value) {
			t.push(Pair{key.Value, value})
		}
	}
	return t.done(), nil
}

// convertScalar evens out what YAML 1.1 has and 1.2 has not.
func convertScalar(n *oracle.Node) (*Node, error) {
	out := &Node{Kind: String, Text: n.Value}
	switch n.ShortTag() {
	case "!!null":
		out.Kind = Null
	case "!!bool":
		out.Kind, out.Bool = Bool, strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		p := &parser{}
		p.resolve(out, n.Value)
		if out.Kind == Int && n.ShortTag() == "!!float" && n.Style&oracle.TaggedStyle != 0 {
			out.Kind = Float
			out.Float, _ = strconv.ParseFloat(n.Value, 64)
		}
		if math.IsInf(out.Float, 0) && !strings.Contains(strings.ToLower(n.Value), "inf") {
			return nil, errors.New("too large")
		}
	}
	return out, nil
}

// agree checks that a text which is read means the same to another reader.
func agree(t *testing.T, text string) {
	t.Helper()
	documents, err := Parse(text, bounds)
	if err != nil || strings.Contains(text, `\ud`) || strings.Contains(text, `\/`) {
		return // escapes that JSON has are not read everywhere
	}
	var shapes []string
	for _, d := range documents {
		shapes = append(shapes, shape(d))
	}
	want, err := theirs(text)
	if err != nil && strings.Contains(text, "?") {
		return // nor are question marks within brackets
	}
	if err != nil {
		t.Errorf("%q is read as %s; another reader says %v", text, strings.Join(shapes, " "), err)
	} else if got := strings.Join(shapes, "\n"); got != want {
		t.Errorf("%q is read as\n%s; by another reader as\n%s", text, got, want)
	}
}

func TestOracle(t *testing.T) {
	for _, c := range good {
		t.Run("", func(t *testing.T) { agree(t, c.text) })
	}
}

// FuzzParse looks for texts that are read otherwise than elsewhere.
func FuzzParse(f *testing.F) {
	for _, c := range good {
		f.Add(c.text)
	}
	for _, c := range bad {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !bytes.ContainsAny([]byte(text), "\t") {
			agree(t, text)
		}
	})
}

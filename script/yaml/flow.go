package yaml

// flow reads a list or a table in brackets.
func (p *parser) flow() *Node {
	p.deeper()
	defer func() { p.depth-- }()
	open := p.peek(0)
	p.at++
	if open == '[' {
		return p.flowList()
	}
	return p.flowTable()
}

// inside passes white space, comments and line ends within brackets.
func (p *parser) inside() {
	for p.lineEnd() && !p.end() {
		p.newline()
	}
	switch {
	case p.end():
		p.fail("a bracket is not closed")
	case p.atMarker():
		p.fail("the document ends within brackets")
	}
}

func (p *parser) flowList() *Node {
	list := p.node(List)
	for {
		p.inside()
		if p.peek(0) == ']' {
			p.at++
			return list
		}
		list.Items = append(list.Items, p.flowValue())
		p.inside()
		if p.peek(0) == ':' {
			p.fail("a key in a list; write [{ key: value }]")
		}
		p.separator(']')
	}
}

// separator passes a comma; a closing bracket may follow instead.
func (p *parser) separator(closing byte) {
	switch p.peek(0) {
	case ',':
		p.at++
	case closing:
	default:
		p.fail("wanted \",\" or \"%c\" before %s", closing, p.near())
	}
}

func (p *parser) flowTable() *Node {
	t := &pairs{parser: p, node: p.node(Map)}
	for {
		p.inside()
		if p.peek(0) == '}' {
			p.at++
			return t.done()
		}
		line, quoted := p.line, p.peek(0) == '"' || p.peek(0) == '\''
		merge := p.peek(0) == '<'
		from := p.at
		key := p.flowKey(quoted)
		p.keyEnds(from)
		p.inside()
		value := &Node{Kind: Null, Line: line}
		if p.peek(0) == ':' && (quoted || p.gap(1)) {
			if p.line != line {
				p.fail("a key and its colon are on one line")
			}
			p.at++
			p.inside()
			value = p.flowPairValue()
			p.inside()
		}
		t.add(key, value, merge, line)
		p.separator('}')
	}
}

func isFlowMark(c byte) bool { return c == ',' || c == '[' || c == ']' || c == '{' || c == '}' }

func (p *parser) flowKey(quoted bool) string {
	p.count(1)
	switch {
	case quoted:
		return p.quoted()
	case !p.startsPlain(true):
		p.fail("wanted a key before %s", p.near())
	}
	return p.plain(-1, true)
}

// flowPairValue is what follows a colon, which may be nothing.
func (p *parser) flowPairValue() *Node {
	if p.peek(0) == ',' || p.peek(0) == '}' {
		return p.node(Null)
	}
	return p.flowValue()
}

func (p *parser) flowValue() *Node {
	props := p.properties()
	p.inside()
	if props != (properties{}) {
		p.propertiesOf(false)
	}
	switch c := p.peek(0); {
	case isFlowMark(c) && c != '[' && c != '{':
		if props == (properties{}) {
			p.fail("wanted a value before %s", p.near())
		}
		return p.finish(p.node(Null), props)
	case c == '[' || c == '{' || c == '*' || c == '"' || c == '\'':
		return p.finish(p.inline(-1), props)
	}
	line := p.line
	text := p.plain(-1, true)
	node := p.node(String)
	node.Line = line
	p.resolve(node, text)
	return p.finish(node, props)
}

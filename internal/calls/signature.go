package calls

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Signature is what a JSON schema says about the arguments of a function.
type Signature struct {
	Description string
	// Parameters are the schema's properties in the order of its text, which
	// is that of positional arguments.
	Parameters []Parameter
	// Open says that other arguments are accepted: where the schema has no
	// properties, or says so by additionalProperties. Elsewhere they are
	// refused, as a Python function without ** does.
	Open bool
	// Schema is the schema itself.
	Schema json.RawMessage
}

// Parameter is one argument of a function.
type Parameter struct {
	Name     string
	Required bool
	// Binary says that the value may be bytes: its schema has a
	// contentEncoding, or the format "binary" or "byte".
	Binary bool
	// Schema is that of the parameter alone.
	Schema json.RawMessage
}

// anything is the schema of a function that does not say what it takes.
var anything = json.RawMessage(`{"type":"object"}`)

// ParseSignature reads a JSON schema of an object; an empty one lets all
// arguments pass.
func ParseSignature(description string, schema json.RawMessage) (*Signature, error) {
	if len(schema) == 0 {
		schema = anything
	}
	var s struct {
		Type                 any             `json:"type"`
		Properties           json.RawMessage `json:"properties"`
		Required             []string        `json:"required"`
		AdditionalProperties json.RawMessage `json:"additionalProperties"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil, fmt.Errorf("the schema of the parameters: %w", err)
	}
	if s.Type != nil && s.Type != "object" {
		return nil, fmt.Errorf("the schema of the parameters is of type %v, not object", s.Type)
	}
	signature := &Signature{Description: description, Schema: schema}
	var err error
	if len(s.Properties) > 0 {
		if signature.Parameters, err = parseProperties(s.Properties); err != nil {
			return nil, fmt.Errorf("the schema of the parameters: %w", err)
		}
	}
	switch additional := string(bytes.TrimSpace(s.AdditionalProperties)); additional {
	case "", "null":
		signature.Open = len(signature.Parameters) == 0 && len(s.Properties) == 0
	default:
		signature.Open = additional != "false" && additional != `{"not":{}}`
	}
	for _, name := range s.Required {
		known := false
		for i := range signature.Parameters {
			if signature.Parameters[i].Name == name {
				signature.Parameters[i].Required, known = true, true
			}
		}
		if !known {
			signature.Parameters = append(signature.Parameters, Parameter{Name: name, Required: true})
		}
	}
	return signature, nil
}

// parseProperties gives the properties in their order, which maps do not keep.
func parseProperties(properties json.RawMessage) ([]Parameter, error) {
	d := json.NewDecoder(bytes.NewReader(properties))
	open, err := d.Token()
	if err != nil {
		return nil, err
	}
	if open != json.Delim('{') {
		return nil, errors.New("properties is not an object")
	}
	var parameters []Parameter
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var schema json.RawMessage
		if err := d.Decode(&schema); err != nil {
			return nil, err
		}
		parameters = append(parameters, Parameter{
			Name: fmt.Sprint(name), Binary: IsBinary(schema), Schema: schema,
		})
	}
	return parameters, nil
}

// IsBinary reports whether a schema is that of bytes.
func IsBinary(schema json.RawMessage) bool {
	var s struct {
		ContentEncoding string `json:"contentEncoding"`
		Format          string `json:"format"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		return false // true and false are schemas, too
	}
	return s.ContentEncoding == "base64" || s.Format == "binary" || s.Format == "byte"
}

// described is a function as guests see it.
type described struct {
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
	Names       []string        `json:"names"`
	Required    []string        `json:"required"`
	Binary      []string        `json:"binary"`
	Open        bool            `json:"open"`
}

// Describe is what a guest is told of a function, as JSON.
func (t *Table) Describe(function uint32) (string, error) {
	if uint64(function) >= uint64(len(t.config.Functions)) {
		return "", &NumberError{"function", function}
	}
	signature, err := t.config.Functions[function].Signature()
	if err != nil {
		return describeError(err), nil
	}
	d := described{
		Description: signature.Description, Parameters: signature.Schema, Open: signature.Open,
		Names: []string{}, Required: []string{}, Binary: []string{},
	}
	for _, p := range signature.Parameters {
		d.Names = append(d.Names, p.Name)
		if p.Required {
			d.Required = append(d.Required, p.Name)
		}
		if p.Binary {
			d.Binary = append(d.Binary, p.Name)
		}
	}
	text, err := json.Marshal(&d)
	if err != nil {
		return describeError(err), nil
	}
	return string(text), nil
}

// describeError is the description of a function that has none for this reason.
func describeError(err error) string {
	text, _ := json.Marshal(map[string]string{"error": err.Error()}) // strings only
	return string(text)
}

// validate.mjs SHAPES.ttl… -- DATA.json…
// Judges each JSON-LD file by the shapes; prints `FILE: SEVERITY COUNT …` and each violation. Exit status 1 where there
// is a result of severity Violation. `conforms` isn't asked: it is false on mere advice too.
// Constraints in SPARQL are left out, as rdf-validate-shacl knows none; in UCO 1.4.0 those are all advice but for a few
// about facets that Exhibit doesn't write.
import fs from 'node:fs'
import jsonld from 'jsonld'
import { Parser } from 'n3'
import rdf from '@zazuko/env-node'
import SHACLValidator from 'rdf-validate-shacl'

const divide = process.argv.indexOf('--')
const shapeFiles = process.argv.slice(2, divide), dataFiles = process.argv.slice(divide + 1)
const SH = 'http://www.w3.org/ns/shacl#'
const dropped = new Set(['http://www.w3.org/2002/07/owl#imports', SH + 'sparql'])
const SUBCLASS = 'http://www.w3.org/2000/01/rdf-schema#subClassOf'

function blank(prefix, term) {
  return term.termType === 'BlankNode' ? rdf.blankNode(prefix + term.value) : term
}

const shapes = rdf.dataset(), classes = []
shapeFiles.forEach((file, number) => {
  for (const quad of new Parser().parse(fs.readFileSync(file, 'utf8'))) {
    if (dropped.has(quad.predicate.value)) continue
    const kept = rdf.quad(blank(`s${number}_`, quad.subject), quad.predicate, blank(`s${number}_`, quad.object))
    shapes.add(kept)
    if (kept.predicate.value === SUBCLASS && kept.object.termType === 'NamedNode') classes.push(kept)
  }
})
if (shapes.size < 1000) throw new Error(`only ${shapes.size} triples of shapes: is this the ontology?`)

const validator = new SHACLValidator(shapes, { factory: rdf })
let violations = 0
for (const file of dataFiles) {
  const document = JSON.parse(fs.readFileSync(file, 'utf8'))
  const noLoader = () => { throw new Error('nothing is loaded from elsewhere') }
  const text = await jsonld.toRDF(document, { format: 'application/n-quads', documentLoader: noLoader, safe: true })
  const data = rdf.dataset(new Parser({ format: 'N-Quads' }).parse(text))
  const size = data.size
  for (const quad of classes) data.add(quad)
  const report = await validator.validate(data)
  const counts = { triples: size }
  for (const result of report.results) {
    const severity = result.severity?.value.replace(SH, '') ?? 'Violation'
    counts[severity] = (counts[severity] ?? 0) + 1
    if (severity !== 'Violation') continue
    violations += 1
    const message = result.message.map(each => each.value).join('; ')
    console.log(`${file}: ${result.focusNode?.value} ${result.path?.value}: ${message}`)
  }
  console.log(`${file}: ` + Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(', '))
}
process.exit(violations === 0 ? 0 : 1)

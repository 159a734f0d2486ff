// Writes schemas/: a JSON Schema (draft 7) for everything that varsearch writes as JSON, made from the types in src. Run with
// `npm run schemas` after a change of those types; test/schemas.test.ts holds the files to them.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BaseType,
  type CompletedConfig,
  Context,
  createFormatter,
  createParser,
  createProgram,
  DEFAULT_CONFIG,
  DefinitionType,
  LiteralType,
  type NodeParser,
  ObjectProperty,
  ObjectType,
  SchemaGenerator,
  type SubNodeParser,
  UnionType,
} from 'ts-json-schema-generator';
import ts from 'typescript';

/** What each file describes: the type, and where it stands in src. */
export const SCHEMAS = {
  result: { type: 'ResultJson', file: 'run/result.ts', title: 'result.json of a search, format 2' },
  compare: {
    type: 'CompareJson',
    file: 'report/files.ts',
    title: 'result.json of a comparison, format 2',
  },
  recipe: {
    type: 'Recipe',
    file: 'run/recipe.ts',
    title: "the text 'varsearch' of a picture's PNG file, format 2",
  },
  score: {
    type: 'ScoreJson',
    file: 'score/json.ts',
    title: 'what `varsearch score --json` prints, format 2',
  },
  'benchmark-manifest': {
    type: 'Manifest',
    file: 'benchmarks/record.ts',
    title: 'the manifest of a benchmark run, format 1',
  },
  'benchmark-picture': {
    type: 'PictureRecord',
    file: 'benchmarks/record.ts',
    title: 'a line of pictures.jsonl of a benchmark run',
  },
  'benchmark-speed': {
    type: 'SpeedRecord',
    file: 'benchmarks/record.ts',
    title: 'a line of speed.jsonl of a benchmark run',
  },
} as const;

/** The name of a schema. */
export type SchemaName = keyof typeof SCHEMAS;

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where a schema lies. */
export const schemaPath = (name: SchemaName): string => join(root, 'schemas', `${name}.schema.json`);

/** Types that the generator cannot follow, since they are inferred from the list of strategies. */
const INFERRED: readonly string[] = ['ResolvedSearch', 'StrategyName'];

/** Asks the compiler what the inferred types are; their properties are declared, so that the generator reads those. */
class InferredParser implements SubNodeParser {
  readonly #checker: ts.TypeChecker;
  readonly #parser: NodeParser;

  constructor(checker: ts.TypeChecker, parser: NodeParser) {
    this.#checker = checker;
    this.#parser = parser;
  }

  supportsNode(node: ts.Node): boolean {
    return ts.isTypeAliasDeclaration(node) && INFERRED.includes(node.name.text);
  }

  createType(node: ts.TypeAliasDeclaration): BaseType {
    const type = this.#checker.getTypeAtLocation(node);
    const members = type.isUnion() ? type.types : [type];
    return new DefinitionType(node.name.text, new UnionType(members.map((each) => this.#member(each))));
  }

  #member(type: ts.Type): BaseType {
    return type.isStringLiteral() ? new LiteralType(type.value) : this.#object(type);
  }

  #object(type: ts.Type): BaseType {
    const properties = type.getProperties().map((symbol) => {
      const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
      return new ObjectProperty(symbol.name, this.#property(symbol), !optional);
    });
    return new ObjectType(this.#checker.typeToString(type), [], properties, false);
  }

  #property(symbol: ts.Symbol): BaseType {
    const type = this.#checker.getTypeOfSymbol(symbol);
    if (type.isStringLiteral()) return new LiteralType(type.value);
    const declared = symbol.valueDeclaration;
    if (declared && ts.isPropertySignature(declared) && declared.type) {
      return this.#parser.createType(declared.type, new Context(declared));
    }
    throw new TypeError(`the type of ${symbol.name} is written nowhere`);
  }
}

/** All schemas, made from the types as they are now. */
export function makeSchemas(): Map<SchemaName, string> {
  const config: CompletedConfig = {
    ...DEFAULT_CONFIG,
    tsconfig: join(root, 'tsconfig.json'),
    path: join(root, 'src', '{run/result,run/recipe,report/files,score/json,benchmarks/record}.ts'),
    // `npm run check` looks at the types.
    skipTypeCheck: true,
    topRef: false,
  };
  const program = createProgram(config);
  const parser: NodeParser = createParser(program, config, (chain) => {
    const all: NodeParser = { createType: (...given) => parser.createType(...given) };
    chain.addNodeParser(new InferredParser(program.getTypeChecker(), all));
  });
  const generator = new SchemaGenerator(program, parser, createFormatter(config), config);
  const names = Object.keys(SCHEMAS) as SchemaName[];
  return new Map(
    names.map((name) => {
      const { $schema, ...rest } = generator.createSchema(SCHEMAS[name].type);
      return [name, `${JSON.stringify({ $schema, title: SCHEMAS[name].title, ...rest }, null, 2)}\n`];
    }),
  );
}

function main(): void {
  mkdirSync(join(root, 'schemas'), { recursive: true });
  for (const [name, text] of makeSchemas()) writeFileSync(schemaPath(name), text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

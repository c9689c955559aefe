# expect: GeneratorExit
raise GeneratorExit

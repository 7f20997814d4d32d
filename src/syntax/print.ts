import { stringify } from 'yaml'

/**
 * Returns plain data as YAML that readers of YAML 1.1 and 1.2 understand alike: `yes`, `0644` and their like are
 * quoted where they are texts. Nothing is folded, no anchors are made.
 */
export function printYaml(data: unknown): string {
  return stringify(data, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false })
}

export { FluentBundle, FluentResource } from '@fluent/bundle';
export { negotiateLanguages } from '@fluent/langneg';

"""Sign-in through an OpenID Connect provider of the operator; needs `crowdalpha[oidc]`."""

<?php
/**
 * Leaves nothing behind: the one option of each site.
 *
 * @package Fanlight
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

if ( is_multisite() ) {
	foreach ( get_sites(
		array(
			'fields' => 'ids',
			'number' => 0,
		)
	) as $fanlight_site ) {
		delete_blog_option( $fanlight_site, 'fanlight' );
	}
} else {
	delete_option( 'fanlight' );
}

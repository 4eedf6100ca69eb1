<?php
/**
 * Plugin Name:       Fanlight
 * Description:       Puts Fanlight's chat on every page, from your own gateway.
 * Version:           0.1.0
 * Requires at least: 6.3
 * Requires PHP:      7.4
 * License:           Apache-2.0
 * License URI:       https://www.apache.org/licenses/LICENSE-2.0
 * Text Domain:       fanlight
 * Domain Path:       /languages
 *
 * Decides: which script a page gets, from seven settings. Refuses: a setting that does not hold; the last
 * one that did stays. Nothing is sent anywhere from here, and nothing is stored but the one option.
 *
 * @package Fanlight
 */

defined( 'ABSPATH' ) || exit;

/** What is set, each a text and empty where it is not. */
function fanlight_options() {
	$empty = array_fill_keys( array( 'gateway', 'site', 'position', 'accent', 'integrity', 'greetings', 'voice' ), '' );
	return array_merge( $empty, array_intersect_key( (array) get_option( 'fanlight', array() ), $empty ) );
}

/** The settings that are either ticked, 'yes', or not. */
function fanlight_switches() {
	return array( 'greetings', 'voice' );
}

/** The address of the loader: by its hash, where it is pinned. */
function fanlight_source( $options ) {
	if ( '' === $options['integrity'] ) {
		return $options['gateway'] . '/loader.js';
	}
	$digest = base64_decode( substr( $options['integrity'], strlen( 'sha384-' ) ), true );
	return $options['gateway'] . '/loader.' . bin2hex( substr( $digest, 0, 8 ) ) . '.js';
}

/** Puts the loader on the page, once gateway and site are set. */
function fanlight_enqueue() {
	$options = fanlight_options();
	if ( '' === $options['gateway'] || '' === $options['site'] ) {
		return;
	}
	$how = array(
		'in_footer' => true,
		'strategy'  => 'async',
	);
	// Without a version: the address says which one it is.
	wp_enqueue_script( 'fanlight', fanlight_source( $options ), array(), null, $how ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion
}
add_action( 'wp_enqueue_scripts', 'fanlight_enqueue' );

/** Writes the settings on the script's tag. */
function fanlight_tag( $tag, $handle ) {
	if ( 'fanlight' !== $handle ) {
		return $tag;
	}
	$options    = fanlight_options();
	$attributes = array(
		'data-site'     => $options['site'],
		'data-position' => $options['position'],
		'data-accent'   => $options['accent'],
		'integrity'     => $options['integrity'],
		'crossorigin'   => '' === $options['integrity'] ? '' : 'anonymous',
	);
	$processor  = new WP_HTML_Tag_Processor( $tag );
	if ( $processor->next_tag( 'script' ) ) {
		foreach ( array_filter( $attributes, 'strlen' ) as $name => $value ) {
			$processor->set_attribute( $name, $value );
		}
		foreach ( fanlight_switches() as $name ) {
			if ( '' !== $options[ $name ] ) {
				$processor->set_attribute( 'data-' . $name, true );
			}
		}
	}
	return $processor->get_updated_html();
}
add_filter( 'script_loader_tag', 'fanlight_tag', 10, 2 );

/** The address without a path, or nothing: it must be https, save on the machine itself. */
function fanlight_origin( $text ) {
	$parts  = wp_parse_url( trim( $text ) );
	$scheme = isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
	$host   = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
	if ( '' === $host || ! preg_match( '/^[a-z0-9.-]+$/', $host ) ) {
		return '';
	}
	if ( 'https' !== $scheme && ! ( 'http' === $scheme && 'localhost' === $host ) ) {
		return '';
	}
	return $scheme . '://' . $host . ( isset( $parts['port'] ) ? ':' . (int) $parts['port'] : '' );
}

/** One setting as it may be stored; null where it does not hold. */
function fanlight_value( $name, $text ) {
	if ( '' === $text ) {
		return '';
	}
	switch ( $name ) {
		case 'gateway':
			$origin = fanlight_origin( $text );
			return '' === $origin ? null : $origin;
		case 'site':
			return preg_match( '/^site_[A-Za-z0-9_]{1,56}$/D', $text ) ? $text : null;
		case 'position':
			return in_array( $text, array( 'left', 'right' ), true ) ? $text : null;
		case 'accent':
			return sanitize_hex_color( $text );
		case 'greetings':
		case 'voice':
			return 'yes' === $text ? $text : null;
		default:
			return preg_match( '/^sha384-[A-Za-z0-9+\/]{64}$/D', $text ) ? $text : null;
	}
}

/** What the form sent, as it is stored: a setting that does not hold stays what it was. */
function fanlight_sanitize( $given ) {
	$kept = fanlight_options();
	$rows = fanlight_fields();
	foreach ( array_keys( $kept ) as $name ) {
		$text  = is_array( $given ) && isset( $given[ $name ] ) ? $given[ $name ] : '';
		$value = is_string( $text ) ? fanlight_value( $name, trim( $text ) ) : null;
		if ( null === $value ) {
			/* translators: %s: the name of a setting. */
			$told = sprintf( __( '%s does not hold, and stays as it was.', 'fanlight' ), $rows[ $name ][0] );
			add_settings_error( 'fanlight', $name, $told );
		} else {
			$kept[ $name ] = $value;
		}
	}
	return $kept;
}

/** Every setting: its name, and what to write. */
function fanlight_fields() {
	return array(
		'gateway'   => array(
			__( 'Gateway', 'fanlight' ),
			__( 'The address of your gateway, such as https://chat.example.com.', 'fanlight' ),
		),
		'site'      => array(
			__( 'Site', 'fanlight' ),
			__( 'The key of this site in fanlight.toml, such as site_shop.', 'fanlight' ),
		),
		'position'  => array(
			__( 'Position', 'fanlight' ),
			__( 'left or right. Empty: where the page\'s lines end.', 'fanlight' ),
		),
		'accent'    => array(
			__( 'Colour', 'fanlight' ),
			__( 'As #rgb or #rrggbb. Empty: the gateway\'s own.', 'fanlight' ),
		),
		'integrity' => array(
			__( 'Hash', 'fanlight' ),
			__( 'sha384-… as `fanlight embed` prints it, to run that very loader alone. Empty: always the newest.', 'fanlight' ),
		),
		'greetings' => array(
			__( 'Greetings', 'fanlight' ),
			__( 'Only where a hash is set: the site has greetings in fanlight.toml. Without a hash they come by themselves.', 'fanlight' ),
		),
		'voice'     => array(
			__( 'Voice', 'fanlight' ),
			__( 'Visitors may speak their questions. The site\'s setting voice must say so, too.', 'fanlight' ),
		),
	);
}

/** Makes the one option known, and the fields of its page. */
function fanlight_register() {
	$what = array(
		'type'              => 'array',
		'sanitize_callback' => 'fanlight_sanitize',
		'default'           => array(),
		'show_in_rest'      => false,
	);
	register_setting( 'fanlight', 'fanlight', $what );
	add_settings_section( 'fanlight', '', '__return_null', 'fanlight' );
	foreach ( fanlight_fields() as $name => list( $label, $help ) ) {
		$about = array(
			'name'      => $name,
			'help'      => $help,
			'label_for' => 'fanlight-' . $name,
		);
		add_settings_field( $name, $label, 'fanlight_field', 'fanlight', 'fanlight', $about );
	}
}
add_action( 'admin_init', 'fanlight_register' );

/** Draws one field. */
function fanlight_field( $about ) {
	$options = fanlight_options();
	if ( in_array( $about['name'], fanlight_switches(), true ) ) {
		printf(
			'<input type="checkbox" id="%1$s" name="fanlight[%2$s]" value="yes" aria-describedby="%1$s-help"%3$s><p class="description" id="%1$s-help">%4$s</p>',
			esc_attr( $about['label_for'] ),
			esc_attr( $about['name'] ),
			esc_attr( '' === $options[ $about['name'] ] ? '' : ' checked' ),
			esc_html( $about['help'] )
		);
		return;
	}
	printf(
		'<input type="text" class="regular-text" id="%1$s" name="fanlight[%2$s]" value="%3$s" aria-describedby="%1$s-help"><p class="description" id="%1$s-help">%4$s</p>',
		esc_attr( $about['label_for'] ),
		esc_attr( $about['name'] ),
		esc_attr( $options[ $about['name'] ] ),
		esc_html( $about['help'] )
	);
}

/** Draws the page. The form goes to options.php, which checks the nonce and the capability. */
function fanlight_page() {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	echo '<div class="wrap"><h1>' . esc_html( get_admin_page_title() ) . '</h1><form action="options.php" method="post">';
	settings_fields( 'fanlight' );
	do_settings_sections( 'fanlight' );
	submit_button();
	echo '</form></div>';
}

/** Puts the page under Settings. */
function fanlight_menu() {
	add_options_page( __( 'Fanlight', 'fanlight' ), __( 'Fanlight', 'fanlight' ), 'manage_options', 'fanlight', 'fanlight_page' );
}
add_action( 'admin_menu', 'fanlight_menu' );

/** Takes the words that came with the plugin. */
function fanlight_words() {
	load_plugin_textdomain( 'fanlight', false, dirname( plugin_basename( __FILE__ ) ) . '/languages' );
}
add_action( 'init', 'fanlight_words' );

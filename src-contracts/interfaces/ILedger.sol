// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Params} from "src-contracts/types/Params.sol";
import {Rules} from "src-contracts/types/Rules.sol";

/// @notice What the ledger says: events and errors.
interface LedgerFacts {
    /// @notice Emitted when `from` paid `amount` of `currency` into the balance of `account`.
    event Deposited(address indexed currency, address indexed account, address from, uint256 amount);
    /// @notice Emitted when `account` took `amount` of `currency` out, to `to`.
    event Withdrawn(address indexed currency, address indexed account, address to, uint256 amount);
    /// @notice Emitted when collected fees of `currency` moved to the treasury's balance.
    event FeesCollected(address indexed currency, address indexed treasury, uint256 amount);
    /// @notice Emitted when `currency` became, or ceased to be, accepted for new jobs.
    event CurrencyAllowed(address indexed currency, bool allowed);
    /// @notice Emitted when `runtime` became, or ceased to be, open for new jobs.
    event RuntimeAllowed(uint8 indexed runtime, bool allowed);
    /// @notice Emitted when new jobs could, or could no longer, ask for several seats.
    event SeatsAllowed(bool allowed);
    /// @notice Emitted when version `version` of the parameters was added; new jobs use it from now on.
    event ParamsAdded(uint16 indexed version, Params params);
    /// @notice Emitted when the least stake of a claiming node changed.
    event MinStakeSet(uint96 minStake);
    /// @notice Emitted when the unbonding time of later exits changed.
    event UnbondingSet(uint32 unbonding);
    /// @notice Emitted when the treasury changed.
    event TreasurySet(address indexed treasury);
    /// @notice Emitted when the contract that mints credits changed.
    event CreditsSet(address indexed credits);
    /// @notice Emitted when another contract gives tiers to nodes.
    event ProverSet(address indexed prover);
    /// @notice Emitted when `guardian` was appointed until `until`.
    event GuardianSet(address indexed guardian, uint40 until);
    /// @notice Emitted when new posts and claims were stopped until `until`.
    event Paused(address indexed guardian, uint40 until);

    /// @notice Thrown when a currency is not accepted.
    error CurrencyNotAllowed(address currency);
    /// @notice Thrown when a balance is too small.
    error BalanceTooLow(address currency, address account, uint256 balance, uint256 needed);
    /// @notice Thrown when more is paid in at once than the ledger counts (2^96 − 1 of the currency's smallest unit).
    error AmountTooLarge(uint256 amount);
    /// @notice Thrown when an amount is zero.
    error AmountZero();
    /// @notice Thrown when an address is zero.
    error AddressZero();
    /// @notice Thrown when new posts and claims are stopped until `until`.
    error PausedUntil(uint40 until);
    /// @notice Thrown when the caller is not the guardian, or its term has ended.
    error NotGuardian(address caller);
    /// @notice Thrown when a pause is too long, or too soon after the last one.
    error PauseNotAllowed(uint256 seconds_, uint40 earliest);
    /// @notice Thrown when a parameter version does not exist, or when terms do not carry the newest one, number by number.
    error ParamsVersion(uint16 given, uint16 newest);
}

/// @notice Money inside the Market: balances per currency, fees, and the numbers that governance turns.
interface ILedger is LedgerFacts {
    /// @notice Pays `amount` of `currency` from the caller into the balance of `account`.
    function deposit(address currency, address account, uint256 amount) external;

    /// @notice `permit` and `deposit` to the caller's own balance.
    function depositWithPermit(address currency, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Uses the caller's EIP-2612 signature to let the Market take `amount` of `currency`. A permit that was
    /// already used (by a front-runner) is no error: what counts is the allowance.
    function permit(address currency, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Takes `amount` of `currency` out of the caller's balance, to `to`. Never paused.
    function withdraw(address currency, address to, uint256 amount) external;

    /// @notice Moves the protocol's fees of `currency` that wait beside the balances of `accounts` (owners of paid nodes) to the
    /// treasury's balance. Anyone may call.
    function collectFees(address currency, address[] calldata accounts) external;

    /// @notice Free balance of `account` in `currency`.
    function balanceOf(address currency, address account) external view returns (uint256);

    /// @notice Fees of what `account` was paid in `currency`, not yet collected. They are no part of its balance.
    function feesOf(address currency, address account) external view returns (uint256);

    /// @notice Version `version` of the parameters.
    function params(uint16 version) external view returns (Params memory);

    /// @notice The numbers in force: what the terms of new jobs must carry as `rules`, end of the pause, least stake, unbonding time, number of nodes.
    function config()
        external
        view
        returns (Rules rules, uint40 pausedUntil, uint96 minStake, uint32 unbonding, uint32 nodeCount);
}
